/* The groups of test_rpc, one a file; each returns its number of failures. */
#ifndef TEST_RPC_H
#define TEST_RPC_H
int test_rpc_failover(void);
#endif /* TEST_RPC_H */
