/* Each step leads to a page with one bit more, so the way ends after at most FEED_PAGE_LEVEL_MAX of them, whatever is
 * answered. */
#include "fanout/place.h"

#include "fanout/steps.h"

void fan_place_reset(struct fan_place *place)
{
    *place = (struct fan_place){.page = 0};
}

void fan_place_keys(unsigned page, struct feed_str tenant, struct feed_str author, struct fan_call *call)
{
    fan_call_key(call, feed_key_followers(tenant, author, page));
    fan_call_key(call, feed_key_ended(tenant, author, page));
    fan_call_key(call, feed_key_latest(tenant, author, page));
    fan_call_key(call, feed_key_page(tenant, author, page));
}

void fan_place_args(const struct fan_place *place, struct fan_call *call)
{
    fan_call_number(call, (int64_t)place->page);
    fan_call_number(call, place->since_ms);
    fan_call_number(call, place->ended_ms);
    fan_call_number(call, place->latest_ms);
}

static bool time_valid(int64_t time_ms)
{
    return time_ms >= 0 && time_ms <= FEED_TIME_MAX_MS;
}

bool fan_place_sent_on(struct fan_place *place)
{
    bool sent_on = place->elsewhere;
    place->elsewhere = false;
    return sent_on;
}

bool fan_place_take(struct fan_place *place, const struct fan_answer *answer, size_t count)
{
    enum { SENT_ON = -1, PARTS = 5 };
    place->elsewhere = false;
    if (answer->kind != FAN_ANSWER_LIST || answer->count == 0)
        return false;
    const struct fan_value *items = answer->items;
    if (items[0].number != SENT_ON)
        return answer->count >= count;
    if (answer->count < PARTS || items[1].number <= place->page || items[1].number >= FEED_PAGES_MAX ||
        !time_valid(items[2].number) || !time_valid(items[3].number) || !time_valid(items[4].number))
        return false;
    *place = (struct fan_place){.page = (unsigned)items[1].number,
                                .since_ms = items[2].number,
                                .ended_ms = items[3].number,
                                .latest_ms = items[4].number,
                                .elsewhere = true};
    return true;
}
