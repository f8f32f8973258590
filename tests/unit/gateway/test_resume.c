/* Outcomes of a resume, for all kinds of positions. */
#include "gateway/resume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct feed_position at(const char *epoch, uint64_t seq)
{
    struct feed_position position = {.seq = seq};
    memcpy(position.epoch, epoch, FEED_EPOCH_BYTES);
    return position;
}

#define NONE "\0\0\0\0\0\0\0\0"

static void resume_outcomes(void **state)
{
    (void)state;
    static const struct {
        enum gw_claim claim;
        const char *client;
        uint64_t client_seq;
        const char *feed;
        uint64_t feed_seq;
        enum gw_outcome outcome;
    } cases[] = {
        {GW_CLAIM_NONE, NONE, 0, "aaaaaaaa", 5, GW_OUTCOME_NEW},
        {GW_CLAIM_NONE, NONE, 0, NONE, 0, GW_OUTCOME_NEW},
        {GW_CLAIM_UNREADABLE, NONE, 0, "aaaaaaaa", 5, GW_OUTCOME_FUTURE},
        {GW_CLAIM_POSITION, "aaaaaaaa", 5, "aaaaaaaa", 5, GW_OUTCOME_CURRENT},
        {GW_CLAIM_POSITION, "aaaaaaaa", 4, "aaaaaaaa", 5, GW_OUTCOME_WINDOW},
        {GW_CLAIM_POSITION, "aaaaaaaa", 6, "aaaaaaaa", 5, GW_OUTCOME_FUTURE},
        {GW_CLAIM_POSITION, "bbbbbbbb", 5, "aaaaaaaa", 5, GW_OUTCOME_FUTURE},
        {GW_CLAIM_POSITION, "bbbbbbbb", 4, "aaaaaaaa", 5, GW_OUTCOME_FUTURE},
        {GW_CLAIM_POSITION, NONE, 0, NONE, 0, GW_OUTCOME_CURRENT},
        {GW_CLAIM_POSITION, NONE, 0, "aaaaaaaa", 5, GW_OUTCOME_WINDOW},
        {GW_CLAIM_POSITION, "aaaaaaaa", 5, NONE, 0, GW_OUTCOME_FUTURE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct feed_position client = at(cases[i].client, cases[i].client_seq);
        struct feed_position feed = at(cases[i].feed, cases[i].feed_seq);
        assert_int_equal(gw_resume(cases[i].claim, &client, &feed), cases[i].outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resume_outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
