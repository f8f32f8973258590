/* cmocka, with the headers that it needs before it. */
#ifndef TESTS_UNIT_SUPPORT_CHECK_H
#define TESTS_UNIT_SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* For views. */
#define assert_str_equal(view, literal)                                                                                \
    do {                                                                                                               \
        struct feed_str view_ = (view);                                                                                \
        assert_int_equal(view_.len, sizeof(literal) - 1);                                                              \
        if (view_.len > 0)                                                                                             \
            assert_memory_equal(view_.data, literal, view_.len);                                                       \
    } while (0)

#endif
