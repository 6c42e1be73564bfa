/* farebox/metric.h - every number the program publishes, one row each, in Prometheus' text form.
 *
 * A series is a row: label values are fixed at compile time, so there is no lookup on the hot path
 * and nobody can make the number of series grow.
 * Layer      1
 * Output     text/plain; version=0.0.4. Rows of one name stand together (# HELP and # TYPE once).
 * Errors     none; a page that does not fit latches the buf's overflow. A gauge below zero is our own bug.
 * Threads    any thread; counters and gauges are atomics (relaxed).
 */
#ifndef FB_METRIC_H
#define FB_METRIC_H
#include "farebox/core.h"

/* X(id, prometheus name, kind, labels in braces or "", help) */
#define FB_METRICS(X)                                                                                                  \
	X(HTTP_2XX,        "farebox_http_requests_total", COUNTER, "{code=\"2xx\"}", "HTTP requests answered")          \
	X(HTTP_3XX,        "farebox_http_requests_total", COUNTER, "{code=\"3xx\"}", "HTTP requests answered")          \
	X(HTTP_4XX,        "farebox_http_requests_total", COUNTER, "{code=\"4xx\"}", "HTTP requests answered")          \
	X(HTTP_5XX,        "farebox_http_requests_total", COUNTER, "{code=\"5xx\"}", "HTTP requests answered")          \
	X(HTTP_REFUSED,    "farebox_http_refused_total", COUNTER, "", "requests with bad framing")                      \
	X(HTTP_REAPED,     "farebox_http_reaped_total", COUNTER, "", "connections closed because a request came too slowly") \
	X(HTTP_CONNECTIONS, "farebox_http_connections", GAUGE, "", "open connections")                                  \
	X(HTTP_SECONDS,    "farebox_http_request_duration_seconds", HISTOGRAM, "", "time from request to answer")       \
	X(VERIFY_VALID,    "farebox_verify_total", COUNTER, "{result=\"valid\"}", "payments verified")                  \
	X(VERIFY_INVALID,  "farebox_verify_total", COUNTER, "{result=\"invalid\"}", "payments verified")                \
	X(VERIFY_UNKNOWN,  "farebox_verify_total", COUNTER, "{result=\"unknown\"}", "payments verified")                \
	X(SETTLE_SUCCESS,  "farebox_settle_total", COUNTER, "{result=\"success\"}", "answers to settle")                \
	X(SETTLE_FAILURE,  "farebox_settle_total", COUNTER, "{result=\"failure\"}", "answers to settle")                \
	X(SETTLE_PENDING,  "farebox_settle_total", COUNTER, "{result=\"pending\"}", "answers to settle")                \
	X(SETTLE_REPEAT,   "farebox_settle_total", COUNTER, "{result=\"already_used\"}", "answers to settle")           \
	X(SETTLE_BATCHES,  "farebox_settle_transactions_total", COUNTER, "", "transactions made for settlements")        \
	X(SETTLE_BATCHED,  "farebox_settle_payments_total", COUNTER, "", "payments in the transactions made for them")  \
	X(SETTLE_TRIAL_REFUSED, "farebox_settle_trial_refused_total", COUNTER, "", "payments that failed in simulation") \
	X(SETTLE_ASKED,    "farebox_settle_asked_total", COUNTER, "", "times the chain was asked what became of one")   \
	X(SETTLE_FRONT_RUN, "farebox_settle_front_run_total", COUNTER, "", "payments that somebody else's transaction made") \
	X(SETTLE_TAKEN_BACK, "farebox_settle_taken_back_total", COUNTER, "", "settlements whose block is gone and that no lane follows") \
	X(SETTLE_SECONDS,  "farebox_settle_duration_seconds", HISTOGRAM, "", "time from request to inclusion")          \
	X(TX_INFLIGHT,     "farebox_tx_inflight", GAUGE, "", "transactions sent and not yet included")                  \
	X(TX_SENT,         "farebox_tx_sent_total", COUNTER, "", "transactions handed to the chain")                    \
	X(TX_RESENT,       "farebox_tx_resent_total", COUNTER, "", "same bytes handed over again")                      \
	X(TX_TAKEN,        "farebox_tx_answers_total", COUNTER, "{class=\"taken\"}", "answers to a transaction that was handed over") \
	X(TX_KNOWN,        "farebox_tx_answers_total", COUNTER, "{class=\"known\"}", "answers to a transaction that was handed over") \
	X(TX_NONCE_LOW,    "farebox_tx_answers_total", COUNTER, "{class=\"nonce_low\"}", "answers to a transaction that was handed over") \
	X(TX_FEE_LOW,      "farebox_tx_answers_total", COUNTER, "{class=\"fee_low\"}", "answers to a transaction that was handed over") \
	X(TX_UNDERPRICED,  "farebox_tx_answers_total", COUNTER, "{class=\"underpriced\"}", "answers to a transaction that was handed over") \
	X(TX_NO_FUNDS,     "farebox_tx_answers_total", COUNTER, "{class=\"no_funds\"}", "answers to a transaction that was handed over") \
	X(TX_REFUSED,      "farebox_tx_answers_total", COUNTER, "{class=\"refused\"}", "answers to a transaction that was handed over") \
	X(TX_UNKNOWN,      "farebox_tx_answers_total", COUNTER, "{class=\"unknown\"}", "answers to a transaction that was handed over") \
	X(LANE_REPLACED,   "farebox_lane_healed_total", COUNTER, "{what=\"replaced\"}", "what a lane put right by itself") \
	X(LANE_VANISHED,   "farebox_lane_healed_total", COUNTER, "{what=\"vanished\"}", "what a lane put right by itself") \
	X(LANE_RETURNED,   "farebox_lane_healed_total", COUNTER, "{what=\"returned\"}", "what a lane put right by itself") \
	X(LANE_FORGOTTEN,  "farebox_lane_healed_total", COUNTER, "{what=\"forgotten\"}", "what a lane put right by itself") \
	X(LANE_FILLED,     "farebox_lane_healed_total", COUNTER, "{what=\"filled\"}", "what a lane put right by itself") \
	X(LANE_FOREIGN,    "farebox_lane_healed_total", COUNTER, "{what=\"foreign\"}", "what a lane put right by itself") \
	X(LANE_LOST,       "farebox_lane_healed_total", COUNTER, "{what=\"lost\"}", "what a lane put right by itself") \
	X(LANE_CAPPED,     "farebox_lane_capped_total", COUNTER, "", "fees that would have to rise above max_fee or the budget") \
	X(LANE_INCLUDED,   "farebox_tx_unconfirmed", GAUGE, "", "transactions included and not yet confirmed")            \
	X(TX_FAILED,       "farebox_tx_failed_total", COUNTER, "", "transactions included with status 0")               \
	X(GAS_SPENT_GWEI,  "farebox_gas_spent_gwei_total", COUNTER, "", "gas money spent")                              \
	X(SIGNER_GWEI,     "farebox_signer_balance_gwei", GAUGE, "", "native coin of the signer, of several the lowest")                       \
	X(CHAIN_HEAD,      "farebox_chain_head_block", GAUGE, "", "newest block seen")                                  \
	X(CHAIN_AGE,       "farebox_chain_head_age_seconds", GAUGE, "", "age of the newest block")                      \
	X(CHAIN_SAFE,      "farebox_chain_safe_block", GAUGE, "", "newest block that counts as safe")                \
	X(CHAIN_FINAL,     "farebox_chain_final_block", GAUGE, "", "newest block that counts as final")              \
	X(REORGS,          "farebox_chain_reorgs_total", COUNTER, "", "times that remembered blocks were taken back")     \
	X(REORG_DEPTH,     "farebox_chain_reorg_depth_max", GAUGE, "", "most blocks taken back at once since the start") \
	X(HEAD_SILENT,     "farebox_chain_head_faults_total", COUNTER, "{class=\"silent\"}", "looks at the head that the endpoint spoilt") \
	X(HEAD_REFUSED,    "farebox_chain_head_faults_total", COUNTER, "{class=\"refused\"}", "looks at the head that the endpoint spoilt") \
	X(HEAD_MALFORMED,  "farebox_chain_head_faults_total", COUNTER, "{class=\"malformed\"}", "looks at the head that the endpoint spoilt") \
	X(HEAD_CHAIN,      "farebox_chain_head_faults_total", COUNTER, "{class=\"chain\"}", "looks at the head that the endpoint spoilt") \
	X(HEAD_ABSENT,     "farebox_chain_head_faults_total", COUNTER, "{class=\"absent\"}", "looks at the head that the endpoint spoilt") \
	X(HEAD_UNFIT,      "farebox_chain_head_faults_total", COUNTER, "{class=\"unfit\"}", "looks at the head that the endpoint spoilt") \
	X(HEAD_BACKWARDS,  "farebox_chain_head_faults_total", COUNTER, "{class=\"backwards\"}", "looks at the head that the endpoint spoilt") \
	X(HEAD_LOWER,      "farebox_chain_head_faults_total", COUNTER, "{class=\"lower\"}", "looks at the head that the endpoint spoilt") \
	X(HEAD_DEEP,       "farebox_chain_head_faults_total", COUNTER, "{class=\"deep\"}", "looks at the head that the endpoint spoilt") \
	X(HEAD_FINAL,      "farebox_chain_head_faults_total", COUNTER, "{class=\"final\"}", "looks at the head that the endpoint spoilt") \
	X(RPC_OK,          "farebox_rpc_requests_total", COUNTER, "{result=\"ok\"}", "HTTP requests to RPC endpoints")   \
	X(RPC_FAILED,      "farebox_rpc_requests_total", COUNTER, "{result=\"failed\"}", "HTTP requests to RPC endpoints") \
	X(RPC_SECONDS,     "farebox_rpc_duration_seconds", HISTOGRAM, "", "time an RPC endpoint took")                  \
	X(VIEW_READS,      "farebox_chain_reads_total", COUNTER, "", "batched chain reads")                             \
	X(VIEW_PAYMENTS,   "farebox_chain_read_payments_total", COUNTER, "", "payments served by batched chain reads")  \
	X(COMMITS,         "farebox_commits_total", COUNTER, "", "durable batches")                                     \
	X(COMMIT_PUTS,     "farebox_commit_rows_total", COUNTER, "", "rows in durable batches")                         \
	X(COMMIT_SECONDS,  "farebox_wal_fsync_seconds", HISTOGRAM, "", "time of one durable write of some batches")     \
	X(INDEXER_BLOCK,   "farebox_indexer_block", GAUGE, "", "newest block whose logs were read")             \
	X(INDEXER_LOOKED,  "farebox_indexer_final_block", GAUGE, "", "newest final block that was looked at for good") \
	X(INDEXER_LIVE,    "farebox_indexer_movements", GAUGE, "", "movements that are not final yet")              \
	X(INDEXER_RANGES,  "farebox_indexer_ranges_total", COUNTER, "", "ranges of blocks read")                   \
	X(INDEXER_DOUBTS,  "farebox_indexer_doubts_total", COUNTER, "", "answers about logs that were not believed") \
	X(INDEXER_HALTED,  "farebox_indexer_halted", GAUGE, "", "1 while nothing is credited until an operator looks") \
	X(RESERVE_BLOCK,   "farebox_reserve_block", GAUGE, "", "newest safe block at which books and escrow were compared") \
	X(RESERVE_BAD,     "farebox_reserve_differs_since_block", GAUGE, "", "first block found at which they differ; 0: none") \
	X(RESERVE_DELTA,   "farebox_ledger_chain_delta_atomic", GAUGE, "", "difference of books and escrow at that block") \
	X(WITHDRAWALS_ASKED, "farebox_withdrawals_accepted_total", COUNTER, "", "withdrawals accepted")              \
	X(WITHDRAWALS_PAID, "farebox_withdrawals_total", COUNTER, "{result=\"completed\"}", "withdrawals that are over") \
	X(WITHDRAWALS_FAILED, "farebox_withdrawals_total", COUNTER, "{result=\"failed\"}", "withdrawals that are over") \
	X(WITHDRAWALS_OPEN, "farebox_withdrawals_open", GAUGE, "", "withdrawals that are not over")               \
	X(WITHDRAWALS_SUM, "farebox_withdrawals_open_atomic", GAUGE, "", "sum of the withdrawals that are not over") \
	X(PAYOUT_TRANSACTIONS, "farebox_payout_transactions_total", COUNTER, "", "transactions made for withdrawals") \
	X(PAYOUT_REFUSED,  "farebox_payout_refused_total", COUNTER, "", "orders that the escrow refused to pay")  \
	X(PAYOUTS_STOPPED, "farebox_payouts_stopped", GAUGE, "", "1 while withdrawals are neither accepted nor paid") \
	X(PAYOUT_GWEI,     "farebox_payout_signer_balance_gwei", GAUGE, "", "native coin of the payout role's key") \
	X(LEDGER_RECORDS,  "farebox_ledger_records_total", COUNTER, "", "durable records of the journal since the start") \
	X(LEDGER_TAIL,     "farebox_ledger_tail_records", GAUGE, "", "records that are not folded into indexes yet")     \
	X(FOLD_SECONDS,    "farebox_ledger_fold_seconds", HISTOGRAM, "", "time to fold records into indexes")

enum fb_metric_id {
#define X(id, name, kind, labels, help) FB_M_##id,
	FB_METRICS(X)
#undef X
	FB_M_END /* not a metric */
};
/* Histogram buckets: 0.5 ms, 1, 2.5, 5, 10, 25, 50, 100, 250, 500 ms, 1 s, 2.5, 5, 10, 30, 60 s. */

struct fb_metrics; /* opaque */
void fb_metrics_open(struct fb_metrics **out);
void fb_metrics_close(struct fb_metrics *m);
/* m may be NULL everywhere: nothing happens (tests without metrics). */
void fb_metric_add(struct fb_metrics *m, enum fb_metric_id id, uint64_t n); /* counters and gauges */
void fb_metric_sub(struct fb_metrics *m, enum fb_metric_id id, uint64_t n); /* gauges */
void fb_metric_set(struct fb_metrics *m, enum fb_metric_id id, uint64_t v); /* gauges */
void fb_metric_time_ns(struct fb_metrics *m, enum fb_metric_id id, uint64_t ns); /* histograms */
uint64_t fb_metric_get(const struct fb_metrics *m, enum fb_metric_id id); /* counters and gauges; a histogram's count */
/* The whole page, with process_start_time_seconds, process_resident_memory_bytes and farebox_build_info. */
void fb_metrics_print(const struct fb_metrics *m, struct fb_buf *out);
enum { FB_METRICS_PAGE_MAX = 32768 };
#endif /* FB_METRIC_H */
