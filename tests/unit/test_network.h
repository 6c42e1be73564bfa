/* The groups of test_network, one a file; each returns its number of failures. */
#ifndef FB_TEST_NETWORK_H
#define FB_TEST_NETWORK_H
int test_network_check(void);
#endif /* FB_TEST_NETWORK_H */
