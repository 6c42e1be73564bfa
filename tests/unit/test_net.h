/* The groups of test_net, one a file; each returns its number of failures. */
#ifndef TEST_NET_H
#define TEST_NET_H
int test_net_loop(void);
int test_net_peer(void);
#endif /* TEST_NET_H */
