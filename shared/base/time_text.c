/* RFC 3339 <-> milliseconds. The C library's functions are not used: they follow the time zone of the process, take
 * what is no date (February 30), and know no fractions. Days are counted from 1 March, so that the leap day is the
 * last of its year and the lengths of the months before it need no exception. */
#include "shared/base/time_text.h"

#include "shared/base/assert.h"
#include "shared/base/limits.h"

enum { MS_PER_DAY = 86400000, DAYS_PER_ERA = 146097 /* 400 years */ };

struct parts {
    int year, month, day, hour, minute, second, ms;
    int offset_minutes;
};

static bool is_leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01; year 0 to 9999. */
static int64_t days_of(int year, int month, int day)
{
    int y = month > 2 ? year : year - 1; /* the year that began in March; -1 in January of year 0 */
    int m = month > 2 ? month - 3 : month + 9;
    int era_year = y + 400; /* keeps divisions away from negative numbers */
    int64_t days = 365LL * era_year + era_year / 4 - era_year / 100 + era_year / 400 + (153 * m + 2) / 5 + day - 1;
    return days - DAYS_PER_ERA - 719468; /* 719468: days from 0000-03-01 to 1970-01-01 */
}

/* A cursor over the text; `good` falls once and stays down. */
struct reader {
    struct feed_str rest;
    bool good;
};

static int take_digits(struct reader *in, size_t count)
{
    int value = 0;
    if (in->rest.len < count)
        in->good = false;
    for (size_t i = 0; in->good && i < count; i++) {
        char c = in->rest.data[i];
        if (c < '0' || c > '9')
            in->good = false;
        else
            value = value * 10 + (c - '0');
    }
    if (in->good) {
        in->rest.data += count;
        in->rest.len -= count;
    }
    return value;
}

static bool take_if(struct reader *in, char c)
{
    if (!in->good || in->rest.len == 0 || in->rest.data[0] != c)
        return false;
    in->rest.data++;
    in->rest.len--;
    return true;
}

static void take(struct reader *in, char c)
{
    if (!take_if(in, c))
        in->good = false;
}

/* Milliseconds; digits after the third are read over. */
static int take_fraction(struct reader *in)
{
    if (!take_if(in, '.'))
        return 0;
    int ms = 0;
    size_t count = 0;
    while (in->good && in->rest.len > 0 && in->rest.data[0] >= '0' && in->rest.data[0] <= '9') {
        int digit = take_digits(in, 1);
        if (count < 3)
            ms = ms * 10 + digit;
        count++;
    }
    if (count == 0)
        in->good = false;
    for (; count < 3; count++)
        ms *= 10;
    return ms;
}

static int take_offset(struct reader *in)
{
    if (take_if(in, 'Z'))
        return 0;
    bool west = take_if(in, '-');
    if (!west)
        take(in, '+');
    int hours = take_digits(in, 2);
    take(in, ':');
    int minutes = take_digits(in, 2);
    if (hours > 23 || minutes > 59)
        in->good = false;
    int offset = hours * 60 + minutes;
    return west ? -offset : offset;
}

static bool take_parts(struct feed_str text, struct parts *out)
{
    struct reader in = {text, true};
    out->year = take_digits(&in, 4);
    take(&in, '-');
    out->month = take_digits(&in, 2);
    take(&in, '-');
    out->day = take_digits(&in, 2);
    take(&in, 'T');
    out->hour = take_digits(&in, 2);
    take(&in, ':');
    out->minute = take_digits(&in, 2);
    take(&in, ':');
    out->second = take_digits(&in, 2);
    out->ms = take_fraction(&in);
    out->offset_minutes = take_offset(&in);
    return in.good && in.rest.len == 0;
}

enum feed_error feed_time_parse(struct feed_str text, int64_t *unix_ms)
{
    struct parts p;
    if (!take_parts(text, &p) || p.month < 1 || p.month > 12 || p.day < 1 || p.day > month_days(p.year, p.month) ||
        p.hour > 23 || p.minute > 59 || p.second > 60)
        return FEED_E_INVALID;
    int64_t minute = days_of(p.year, p.month, p.day) * 1440 + p.hour * INT64_C(60) + p.minute - p.offset_minutes;
    if (p.second == 60) {
        if (minute < 0 || minute % 1440 != 1439)
            return FEED_E_INVALID; /* a leap second is the last one of a day in UTC */
        p.second = 59;
        p.ms = 999;
    }
    int64_t ms = minute * 60000 + p.second * INT64_C(1000) + p.ms;
    if (ms < FEED_TIME_MIN_MS || ms > FEED_TIME_MAX_MS)
        return FEED_E_INVALID;
    *unix_ms = ms;
    return FEED_OK;
}

void feed_time_format(int64_t unix_ms, char out[FEED_TIME_TEXT + 1])
{
    feed_assert(unix_ms >= FEED_TIME_MIN_MS && unix_ms <= FEED_TIME_MAX_MS);
    int64_t days = unix_ms / MS_PER_DAY;
    int ms = (int)(unix_ms % MS_PER_DAY);
    int year = 1970 + (int)(days / 366); /* never too late; the loop below goes on to the right one */
    while (days_of(year + 1, 1, 1) <= days)
        year++;
    int day = (int)(days - days_of(year, 1, 1));
    int month = 1;
    while (day >= month_days(year, month))
        day -= month_days(year, month++);
    const struct {
        int value, digits;
        char after;
    } parts[] = {{year, 4, '-'},         {month, 2, '-'},           {day + 1, 2, 'T'},
                 {ms / 3600000, 2, ':'}, {ms / 60000 % 60, 2, ':'}, {ms / 1000 % 60, 2, '.'},
                 {ms % 1000, 3, 'Z'}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int value = parts[i].value;
        for (int at = parts[i].digits; at > 0; value /= 10)
            out[--at] = (char)('0' + value % 10);
        out += parts[i].digits;
        *out++ = parts[i].after;
    }
    *out = '\0';
}
