/* The groups of the json test binary. */
#ifndef TEST_JSON_H
#define TEST_JSON_H
int json_parse_tests(void);
int json_read_tests(void);
int json_write_tests(void);
#endif /* TEST_JSON_H */
