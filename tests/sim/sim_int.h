/* Shared inside tests/sim: the chain's state, its transactions and the faults in force. */
#ifndef FB_SIM_INT_H
#define FB_SIM_INT_H
#include "farebox/sim.h"

#include "farebox/json.h"

#include <pthread.h>

enum {
	SIM_ACCOUNTS_MAX = 256,
	SIM_TXS_MAX = 4096,
	SIM_USED_MAX = 4096,
	SIM_RULES_MAX = 64,
	SIM_SIGNATURE_MAX = 1024,
	SIM_BATCH_MAX = 128,
	SIM_METHODS_MAX = 16,
	SIM_FORKS_MAX = 1024,
	SIM_TAKEN_NONCES_MAX = 256,
};

struct sim_account {
	struct fb_address address;
	struct fb_u256 atoms;
	fb_u128 wei;
	uint64_t counter;
	bool has_code, accepts, blacklisted;
};

/* All that a block decides; copied when a node begins to lag. */
struct sim_state {
	uint64_t block;
	size_t account_count, used_count;
	bool paused;
	/* Blocks from `from` up, as long as no later fork says otherwise, have hashes of this salt. */
	struct {
		uint64_t from, salt;
	} forks[SIM_FORKS_MAX];
	size_t fork_count;
	struct sim_account accounts[SIM_ACCOUNTS_MAX];
};

/* An authorization that was used. */
struct sim_used {
	struct fb_address payer;
	struct fb_hash nonce;
	uint64_t atoms;
	struct fb_address to;
	uint64_t block;
	bool canceled;
	struct fb_hash tx;
};

/* A nonce that somebody else who has the key used. */
struct sim_taken_nonce {
	struct fb_address sender;
	uint64_t block;
};

/* What a transfer call asks of the token. */
struct sim_call {
	struct fb_authorization authorization;
	size_t signature_len;
	uint8_t signature[SIM_SIGNATURE_MAX];
};

/* The calls of an aggregate3, and which of them went through. */
struct sim_batch {
	size_t count;
	bool moved[SIM_BATCH_MAX];
	struct sim_call calls[];
};

struct sim_tx {
	struct fb_hash hash;
	struct fb_address sender, to;
	uint64_t nonce, block; /* block: when mined, or lost */
	fb_u128 max_fee, tip, paid; /* paid: for gas, when mined */
	uint64_t gas_limit;
	enum fb_sim_tx state; /* UNKNOWN: forgotten */
	unsigned was;         /* bits of the states it has had */
	bool foreign;         /* somebody else's, with an authorization of ours */
	bool cancels;         /* foreign, and it cancels that authorization */
	struct sim_call *call; /* owned; NULL if the data is no transfer */
	struct sim_batch *batch; /* owned; NULL if it is no aggregate3 of transfers */
};

struct fb_sim {
	pthread_mutex_t lock; /* of everything below but what is fixed at open */
	struct fb_address token, multicall3;
	struct fb_hash domain;
	uint64_t chain_id, said_chain_id;
	struct fb_clock clock;
	struct sim_state now, lagging;
	bool auto_mine, lag, hide_receipts, strict_fees;
	unsigned fall_back; /* requests yet to be answered from `lagging` */
	fb_u128 gas_estimate, base_fee;
	struct sim_used used[SIM_USED_MAX];
	struct sim_tx txs[SIM_TXS_MAX];
	size_t tx_count, taken, requests;
	struct sim_taken_nonce taken_nonces[SIM_TAKEN_NONCES_MAX];
	size_t taken_nonce_count;
	uint64_t salts;                      /* of forks, so far */
	uint64_t logs_max;                   /* blocks that eth_getLogs looks through; 0: any number */
	uint64_t safe_blocks, final_blocks;  /* the tags, below the head; 0: there are none */
	enum fb_sim_lie lie;
	unsigned lie_count;
	struct {
		char method[40];
		size_t calls;
	} asked[SIM_METHODS_MAX];
	struct fb_sim_history_row {
		struct sim_used authorization;
		unsigned open_max;
	} histories[SIM_USED_MAX];
	size_t history_count;
	enum fb_sim_fate fate;
	unsigned fate_count;
	struct fb_sim_rule rules[SIM_RULES_MAX];
	size_t rule_count;
	uint32_t rates[FB_SIM_FAULTS];
	unsigned late_ms_max;
	uint64_t rng;
	void (*hook)(void *arg, const struct fb_sim_sent *sent);
	void *hook_arg;
	struct sim_server *server;
};

void sim_lock(struct fb_sim *s);
void sim_unlock(struct fb_sim *s);
uint64_t sim_draw(struct fb_sim *s);

/* state.c: an account, made when it is not there yet. */
struct sim_account *sim_account(struct sim_state *st, const struct fb_address *of);
const struct sim_state *sim_visible(const struct fb_sim *s); /* what the node answers from */
struct fb_hash sim_block_hash(const struct sim_state *st, uint64_t number);
bool sim_is_used(const struct fb_sim *s, const struct sim_state *st, const struct fb_address *payer,
		 const struct fb_hash *nonce);
/* token.c: the token's judgement of a call in a state; NULL if it would move the money, else its message. */
const char *sim_token_refusal(const struct fb_sim *s, const struct sim_state *st, const struct sim_call *call);
void sim_token_move(struct fb_sim *s, const struct sim_call *call, const struct fb_hash *tx);
/* batch.c: NULL if the data is no aggregate3 of transfers of the token. */
struct sim_batch *sim_decode_batch(struct fb_str data);
void sim_batch_execute(struct fb_sim *s, const struct sim_tx *tx);
/* Which of the batch's calls is for that authorization; its count if none. */
size_t sim_batch_find(const struct sim_batch *b, const struct fb_address *payer, const struct fb_hash *nonce);
void sim_trial_answer(struct fb_sim *s, struct fb_buf *out, struct fb_str data); /* `data` behind the trial's code */
/* logs.c: the logs of a transaction, and those that a filter asks for, as an array each. */
void sim_put_logs(const struct fb_sim *s, struct fb_jw *w, const struct sim_tx *tx);
bool sim_takes_filter(const struct fb_sim *s, struct fb_json_value filter); /* false: too many blocks */
void sim_put_filtered(const struct fb_sim *s, struct fb_jw *w, struct fb_json_value filter);
/* The lens: `data` behind its code. */
void sim_lens_answer(const struct fb_sim *s, struct fb_buf *out, struct fb_str data);
/* decode.c: false if the bytes are no EIP-1559 transaction of ours; call data of both overloads. */
bool sim_decode_tx(struct sim_tx *out, struct fb_str raw, uint64_t chain_id);
bool sim_decode_call(struct sim_call *out, struct fb_str data);
/* chain.c: NULL and the hash if it was taken, else why not. */
const char *sim_take(struct fb_sim *s, struct sim_tx *tx);
void sim_free_calls(struct sim_tx *tx);
const struct sim_tx *sim_find(const struct fb_sim *s, const struct fb_hash *hash);
void sim_mine_locked(struct fb_sim *s);
void sim_set_tx(struct sim_tx *tx, enum fb_sim_tx state, uint64_t block);
/* fault.c: the fault for a request that holds these methods, or for one call. */
struct fb_sim_rule sim_request_fault(struct fb_sim *s, const char *const *methods, size_t count);
struct fb_sim_rule sim_call_fault(struct fb_sim *s, const char *method);
/* rpc.c: the body of a request into the body of its answer. */
void sim_answer(struct fb_sim *s, struct fb_buf *out, struct fb_str body, struct fb_sim_rule *fault);
/* serve.c */
void sim_serve_start(struct fb_sim *s);
void sim_serve_stop(struct fb_sim *s);
#endif /* FB_SIM_INT_H */
