/* The groups of the json test binary. */
#ifndef FB_TEST_JSON_H
#define FB_TEST_JSON_H
int json_parse_tests(void);
int json_read_tests(void);
int json_write_tests(void);
#endif /* FB_TEST_JSON_H */
