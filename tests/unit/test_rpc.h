/* The groups of test_rpc, one a file; each returns its number of failures. */
#ifndef FB_TEST_RPC_H
#define FB_TEST_RPC_H
int test_rpc_failover(void);
#endif /* FB_TEST_RPC_H */
