/* The groups of test_network, one a file; each returns its number of failures. */
#ifndef TEST_NETWORK_H
#define TEST_NETWORK_H
int test_network_check(void);
#endif /* TEST_NETWORK_H */
