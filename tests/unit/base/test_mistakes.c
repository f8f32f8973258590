/* Errors have names; mistakes of our own end the process, in every kind of build. */
#include "shared/base/assert.h"
#include "shared/base/error.h"
#include "tests/unit/support/check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void every_error_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(feed_error_name(FEED_OK), "ok");
    assert_string_equal(feed_error_name(FEED_E_TOO_LARGE), "too_large");
    for (int a = 0; a < FEED_ERROR_COUNT; a++) {
        assert_non_null(feed_error_name((enum feed_error)a));
        for (int b = 0; b < a; b++)
            assert_string_not_equal(feed_error_name((enum feed_error)a), feed_error_name((enum feed_error)b));
    }
}

static void a_failed_assertion_aborts(void **state)
{
    (void)state;
    int said[2];
    assert_int_equal(pipe(said), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        dup2(said[1], STDERR_FILENO);
        int two = 2;
        feed_assert(two == 2);
        feed_assert(two == 3);
        _exit(0);
    }
    close(said[1]);
    char text[256] = "";
    assert_true(read(said[0], text, sizeof(text) - 1) > 0);
    close(said[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "two == 3"));
    assert_non_null(strstr(text, "test_mistakes.c:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_name_of_its_own),
        cmocka_unit_test(a_failed_assertion_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
