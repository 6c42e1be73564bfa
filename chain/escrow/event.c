/* The escrow's events, out of their logs: a row of the table says how each kind's log is built. */
#include "escrow_int.h"

#include "escrow_constants.h"

#include <string.h>

enum { SHAPE_LEN = 5, WORD_LEN = 32 };

#define X(name, number, text) \
	_Static_assert((int)FB_ESCROW_REFUSAL_##name == (int)FB_ESCROW_SOL_REFUSAL_##name, "as the contract numbers it");
FB_ESCROW_REFUSALS(X)
#undef X

const char *fb_escrow_refusal_name(enum fb_escrow_refusal r)
{
	static const char *const names[] = {
#define X(name, number, text) [number] = text,
		FB_ESCROW_REFUSALS(X)
#undef X
	};

	FB_ASSERT((size_t)r < FB_COUNT(names));
	return names[r];
}

/* ---- members ---------------------------------------------------------------------------------------- */

static void take_reason(struct fb_escrow_event *e, struct fb_escrow_words *w)
{
	struct fb_u256 v = fb_escrow_take_u256(w);
	uint64_t number = 0;

	if (w->status != FB_OK)
		return;
	if (fb_u256_to_u64(&number, v) != FB_OK || number == FB_ESCROW_REFUSAL_NONE ||
	    number > FB_ESCROW_REFUSAL_TOKEN_REFUSED)
		w->status = FB_BAD_VALUE;
	else
		e->reason = (enum fb_escrow_refusal)number;
}

static void take_sequence(struct fb_escrow_event *e, struct fb_escrow_words *w)
{
	e->sequence = fb_escrow_take_u64(w);
	if (w->status == FB_OK && e->sequence == 0)
		w->status = FB_BAD_VALUE;
}

/* What stands in a topic, or in a word of the data, behind topic 0. */
enum member {
	END, SEQUENCE, BENEFICIARY, PAYER, AUTHORIZATION, ID, TO, AMOUNT, REASON, PAYOUT_CAP, DAY_CAP, PREVIOUS, ACCOUNT
};

static void take(struct fb_escrow_event *e, enum member m, struct fb_escrow_words *w)
{
	switch (m) {
	case SEQUENCE: take_sequence(e, w); break;
	case BENEFICIARY: e->beneficiary = fb_escrow_take_address(w); break;
	case PAYER: e->payer = fb_escrow_take_address(w); break;
	case AUTHORIZATION: e->authorization = fb_escrow_take_hash(w); break;
	case ID: e->id = fb_escrow_take_hash(w); break;
	case TO: e->to = fb_escrow_take_address(w); break;
	case AMOUNT: e->amount = fb_escrow_take_u256(w); break;
	case REASON: take_reason(e, w); break;
	case PAYOUT_CAP: e->payout_cap = fb_escrow_take_u128(w); break;
	case DAY_CAP: e->day_cap = fb_escrow_take_u128(w); break;
	case PREVIOUS: e->previous = fb_escrow_take_address(w); break;
	case ACCOUNT: e->account = fb_escrow_take_address(w); break;
	case END: FB_UNREACHABLE("a shape ends before its end");
	}
}

/* ---- shapes ----------------------------------------------------------------------------------------- */

struct shape {
	const uint8_t *topic;
	uint8_t topics;                 /* how many of the members are topics; the others are words of the data */
	uint8_t members[SHAPE_LEN + 1]; /* ended by END */
};
static const struct shape shapes[FB_ESCROW_KINDS] = {
	[FB_ESCROW_DEPOSIT] = { FB_ESCROW_TOPIC_DEPOSIT, 3, { SEQUENCE, BENEFICIARY, PAYER, AMOUNT, AUTHORIZATION } },
	[FB_ESCROW_PAYOUT] = { FB_ESCROW_TOPIC_PAYOUT, 3, { SEQUENCE, ID, TO, AMOUNT } },
	[FB_ESCROW_PAYOUT_FAILED] = { FB_ESCROW_TOPIC_PAYOUT_FAILED, 3, { SEQUENCE, ID, TO, AMOUNT, REASON } },
	[FB_ESCROW_PAYOUT_CANCELLED] = { FB_ESCROW_TOPIC_PAYOUT_CANCELLED, 2, { SEQUENCE, ID } },
	[FB_ESCROW_CAPS_CHANGED] = { FB_ESCROW_TOPIC_CAPS_CHANGED, 1, { SEQUENCE, PAYOUT_CAP, DAY_CAP } },
	[FB_ESCROW_OWNER_PROPOSED] = { FB_ESCROW_TOPIC_OWNER_PROPOSED, 3, { SEQUENCE, PREVIOUS, ACCOUNT } },
	[FB_ESCROW_OWNER_CHANGED] = { FB_ESCROW_TOPIC_OWNER_CHANGED, 3, { SEQUENCE, PREVIOUS, ACCOUNT } },
	[FB_ESCROW_PAYOUT_ROLE_CHANGED] = { FB_ESCROW_TOPIC_PAYOUT_ROLE_CHANGED, 3, { SEQUENCE, PREVIOUS, ACCOUNT } },
	[FB_ESCROW_PAUSE_ROLE_CHANGED] = { FB_ESCROW_TOPIC_PAUSE_ROLE_CHANGED, 3, { SEQUENCE, PREVIOUS, ACCOUNT } },
	[FB_ESCROW_PAUSED] = { FB_ESCROW_TOPIC_PAUSED, 2, { SEQUENCE, ACCOUNT } },
	[FB_ESCROW_UNPAUSED] = { FB_ESCROW_TOPIC_UNPAUSED, 2, { SEQUENCE, ACCOUNT } },
};

static size_t member_count(const struct shape *s)
{
	size_t n = 0;

	while (s->members[n] != END)
		n++;
	return n;
}

struct fb_hash fb_escrow_topic(enum fb_escrow_kind kind)
{
	struct fb_hash h;

	FB_ASSERT((size_t)kind < FB_ESCROW_KINDS);
	memcpy(h.bytes, shapes[kind].topic, sizeof(h.bytes));
	return h;
}

/* FB_ESCROW_KINDS if there is no such event. */
static enum fb_escrow_kind kind_of(const struct fb_hash *topic)
{
	enum fb_escrow_kind kind = 0;

	while (kind < FB_ESCROW_KINDS && memcmp(shapes[kind].topic, topic->bytes, sizeof(topic->bytes)) != 0)
		kind++;
	return kind;
}

enum fb_status fb_escrow_event_read(struct fb_escrow_event *out, const struct fb_hash *topics, size_t count,
				    struct fb_str data)
{
	enum fb_escrow_kind kind = count == 0 ? FB_ESCROW_KINDS : kind_of(&topics[0]);
	struct fb_escrow_event e = { .kind = kind };
	struct fb_escrow_words w = { .data = data };
	const struct shape *s;

	if (kind == FB_ESCROW_KINDS)
		return FB_NOT_FOUND;
	s = &shapes[kind];
	if (count != 1u + s->topics || data.len != (member_count(s) - s->topics) * WORD_LEN)
		return FB_BAD_LENGTH;
	for (size_t i = 0; i < s->topics; i++) {
		struct fb_escrow_words topic = { .data = { (const char *)topics[1 + i].bytes, WORD_LEN }, .status = w.status };

		take(&e, s->members[i], &topic);
		w.status = topic.status;
	}
	for (size_t i = s->topics; s->members[i] != END; i++)
		take(&e, s->members[i], &w);
	if (w.status == FB_OK)
		*out = e;
	return w.status;
}
