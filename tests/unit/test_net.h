/* The groups of test_net, one a file; each returns its number of failures. */
#ifndef FB_TEST_NET_H
#define FB_TEST_NET_H
int test_net_loop(void);
int test_net_peer(void);
#endif /* FB_TEST_NET_H */
