/* Notes of commits: of this version, of the one before, of a later one, and what is none. */
#include "fanout/note.h"
#include "fanout/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char id_a[] = "0123456789abcdef", id_b[] = "fedcba9876543210";

static void what_was_written_is_read(void **state)
{
    (void)state;
    char text[FAN_NOTE_MAX + 1];
    struct fan_note note;
    fan_note_write("aaaaaaaaaaaaaaaa", 1200, "0123456789abcdef,fedcba9876543210", text);
    assert_string_equal(text, "life=aaaaaaaaaaaaaaaa replay=1200 seen=0123456789abcdef,fedcba9876543210");
    fan_note_parse(feed_str_of(text), &note);
    assert_true(feed_str_eq(note.life, FEED_STR("aaaaaaaaaaaaaaaa")));
    assert_true(note.replays);
    assert_int_equal(note.replay, 1200);
    assert_true(fan_note_saw(&note, id_a));
    assert_true(fan_note_saw(&note, id_b));
    assert_false(fan_note_saw(&note, "0123456789abcdee"));
    fan_note_write("aaaaaaaaaaaaaaaa", FAN_REPLAY_BEGINNING, "", text);
    assert_string_equal(text, "life=aaaaaaaaaaaaaaaa replay=begin");
    fan_note_parse(feed_str_of(text), &note);
    assert_true(note.replays);
    assert_int_equal(note.replay, FAN_REPLAY_BEGINNING);
    assert_int_equal(note.seen.len, 0);
}

static void the_largest_fits(void **state)
{
    (void)state;
    char seen[FAN_NOTE_MAX + 1] = "", text[FAN_NOTE_MAX + 1];
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%016d", i ? "," : "", i);
    fan_note_write("aaaaaaaaaaaaaaaa", INT64_MAX, seen, text);
    assert_true(strlen(text) < 4096); /* offset.metadata.max.bytes */
    struct fan_note note;
    fan_note_parse(feed_str_of(text), &note);
    assert_int_equal(note.replay, INT64_MAX);
    assert_true(fan_note_saw(&note, "0000000000000127"));
}

static void notes_of_other_versions_are_read(void **state)
{
    (void)state;
    struct fan_note note;
    fan_note_parse(FEED_STR("life=aaaaaaaaaaaaaaaa"), &note);
    assert_true(feed_str_eq(note.life, FEED_STR("aaaaaaaaaaaaaaaa")));
    assert_false(note.replays);
    fan_note_parse(FEED_STR("later=1 seen=0123456789abcdef more replay=7 life=aaaaaaaaaaaaaaaa and=2\0"), &note);
    assert_true(feed_str_eq(note.life, FEED_STR("aaaaaaaaaaaaaaaa")));
    assert_int_equal(note.replay, 7);
    assert_true(fan_note_saw(&note, id_a));
}

static void what_is_no_note_says_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",       " ",        "life=",     "life",         "alife=aaaaaaaaaaaaaaaa",
        "seen=,", "replay=x", "replay=-1", "replay=1 2 3", "replay=99999999999999999999",
        "seen="};
    struct fan_note note;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        fan_note_parse(feed_str_of(texts[i]), &note);
        assert_int_equal(note.life.len, 0);
        assert_false(fan_note_saw(&note, id_a));
        assert_int_equal(note.replays, strcmp(texts[i], "replay=1 2 3") == 0);
    }
    fan_note_parse((struct feed_str){NULL, 0}, &note);
    assert_int_equal(note.life.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(the_largest_fits),
        cmocka_unit_test(notes_of_other_versions_are_read),
        cmocka_unit_test(what_is_no_note_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
