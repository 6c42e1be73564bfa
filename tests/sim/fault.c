/* Which fault hits a request or a call: the test's rules first, then chance. */
#include "sim_int.h"

#include <string.h>

static bool hits_request(enum fb_sim_fault f)
{
	return f == FB_SIM_REFUSE || f == FB_SIM_LOSE || f == FB_SIM_LATE || f == FB_SIM_HTML || f == FB_SIM_429;
}

static bool fits(const struct fb_sim_rule *r, const char *method)
{
	return r->count > 0 && (r->method == NULL || strcmp(r->method, method) == 0);
}

/* One use of the oldest rule that fits. */
static bool use_rule(struct fb_sim_rule *out, struct fb_sim *s, bool request, const char *const *methods, size_t count)
{
	for (size_t i = 0; i < s->rule_count; i++) {
		for (size_t m = 0; m < count; m++) {
			if (hits_request(s->rules[i].fault) != request || !fits(&s->rules[i], methods[m]))
				continue;
			if (s->rules[i].skip > 0) {
				s->rules[i].skip--;
				continue;
			}
			s->rules[i].count--;
			*out = s->rules[i];
			return true;
		}
	}
	return false;
}

static struct fb_sim_rule chance(struct fb_sim *s, bool request)
{
	for (int f = FB_SIM_NONE + 1; f < FB_SIM_FAULTS; f++) {
		enum fb_sim_fault fault = (enum fb_sim_fault)f;

		if (hits_request(fault) == request && s->rates[f] > 0 && sim_draw(s) % 1000000 < s->rates[f])
			return (struct fb_sim_rule){
				.fault = fault, .ms = s->late_ms_max == 0 ? 0 : (unsigned)(sim_draw(s) % s->late_ms_max)
			};
	}
	return (struct fb_sim_rule){ .fault = FB_SIM_NONE };
}

struct fb_sim_rule sim_request_fault(struct fb_sim *s, const char *const *methods, size_t count)
{
	struct fb_sim_rule r;

	return use_rule(&r, s, true, methods, count) ? r : chance(s, true);
}

struct fb_sim_rule sim_call_fault(struct fb_sim *s, const char *method)
{
	struct fb_sim_rule r;

	return use_rule(&r, s, false, &method, 1) ? r : chance(s, false);
}

void fb_sim_add_rule(struct fb_sim *s, const struct fb_sim_rule *rule)
{
	sim_lock(s);
	FB_ASSERT(s->rule_count < SIM_RULES_MAX);
	s->rules[s->rule_count++] = *rule;
	sim_unlock(s);
}

void fb_sim_set_rates(struct fb_sim *s, const uint32_t ppm[FB_SIM_FAULTS], unsigned late_ms_max)
{
	sim_lock(s);
	memcpy(s->rates, ppm, sizeof(s->rates));
	s->late_ms_max = late_ms_max;
	sim_unlock(s);
}

void fb_sim_set_lag(struct fb_sim *s, bool on)
{
	sim_lock(s);
	if (on && !s->lag)
		s->lagging = s->now;
	s->lag = on;
	sim_unlock(s);
}

void fb_sim_fall_back(struct fb_sim *s, unsigned requests)
{
	sim_lock(s);
	s->fall_back = requests;
	sim_unlock(s);
}

void fb_sim_set_logs_max(struct fb_sim *s, uint64_t blocks)
{
	sim_lock(s);
	s->logs_max = blocks;
	sim_unlock(s);
}

void fb_sim_hide_receipts(struct fb_sim *s, bool on)
{
	sim_lock(s);
	s->hide_receipts = on;
	sim_unlock(s);
}

void fb_sim_clear_faults(struct fb_sim *s)
{
	sim_lock(s);
	s->rule_count = 0;
	memset(s->rates, 0, sizeof(s->rates));
	s->fate_count = 0;
	s->lag = false;
	s->fall_back = 0;
	s->lie_count = 0;
	s->hide_receipts = false;
	sim_unlock(s);
}
