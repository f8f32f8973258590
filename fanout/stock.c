/* Spare jobs and pages, so that a record in the middle of the stream costs no allocation of its own. */
#include "fanout/engine_state.h"

#include "shared/base/assert.h"

#include <stdlib.h>
#include <string.h>

static void trim(struct feed_buf *buf, size_t max)
{
    if (buf->capacity <= FAN_RECORD_MEMORY_KEPT)
        return;
    feed_buf_fini(buf);
    feed_buf_init(buf, max);
}

/* A job is 6 KB, most of it room for a hundred recipients; spare ones are kept, as many as ever were in hand. */
struct fan_job *fan_stock_job(struct fan_engine *engine)
{
    struct fan_job *job = fan_queue_pop(&engine->spare_jobs);
    struct feed_buf record_memory, entry, outbox_entry, relation_text;
    feed_buf_init(&record_memory, SIZE_MAX);
    feed_buf_init(&entry, FEED_ENTRY_MAX);
    feed_buf_init(&outbox_entry, FEED_OUTBOX_ENTRY_MAX);
    feed_buf_init(&relation_text, FEED_RELATION_VALUE_MAX);
    if (job) {
        record_memory = job->record_memory;
        entry = job->entry;
        outbox_entry = job->outbox_entry;
        relation_text = job->relation_text;
    } else {
        job = malloc(sizeof *job);
        feed_assert(job);
        for (size_t i = 0; i < FAN_TODO_MAX; i++)
            job->seats[i].number = (uint16_t)i;
    }
    memset(job, 0, offsetof(struct fan_job, seats));
    job->tag = FAN_JOB_TAG;
    job->engine = engine;
    job->record_memory = record_memory;
    job->entry = entry;
    job->outbox_entry = outbox_entry;
    job->relation_text = relation_text;
    feed_buf_init(&job->crossing.outbox, FAN_PACKED_OUTBOX_MAX);
    feed_activity_init(&job->activity);
    return job;
}

void fan_stock_put_job(struct fan_engine *engine, struct fan_job *job)
{
    job->tag = 0;
    if (job->sources)
        fan_page_free(job->sources);
    job->sources = NULL;
    feed_activity_fini(&job->activity);
    feed_buf_fini(&job->crossing.outbox);
    trim(&job->record_memory, SIZE_MAX);
    trim(&job->entry, FEED_ENTRY_MAX);
    trim(&job->outbox_entry, FEED_OUTBOX_ENTRY_MAX);
    trim(&job->relation_text, FEED_RELATION_VALUE_MAX);
    fan_queue_push(&engine->spare_jobs, job);
}

static void job_free(struct fan_job *job)
{
    feed_buf_fini(&job->record_memory);
    feed_buf_fini(&job->entry);
    feed_buf_fini(&job->outbox_entry);
    feed_buf_fini(&job->relation_text);
    free(job);
}

struct fan_page *fan_stock_page(struct fan_engine *engine)
{
    struct fan_page *page = engine->spare_pages;
    if (page) {
        engine->spare_pages = page->next;
    } else if (engine->pages < FAN_PAGES_MAX) {
        page = fan_page_new();
        engine->pages++;
    } else {
        return NULL;
    }
    fan_page_reset(page);
    return page;
}

void fan_stock_put_page(struct fan_engine *engine, struct fan_page *page)
{
    fan_page_reset(page);
    page->next = engine->spare_pages;
    engine->spare_pages = page;
    struct fan_job *next = fan_engine_pop(engine, FAN_JOB_PAGES);
    if (next)
        fan_engine_place(next, FAN_JOB_LOOK);
}

void fan_stock_fini(struct fan_engine *engine)
{
    struct fan_job *job;
    struct fan_queue *queue;
    for (size_t i = 0; (queue = fan_engine_queue(engine, i)); i++) {
        while ((job = fan_queue_pop(queue))) {
            feed_activity_fini(&job->activity);
            feed_buf_fini(&job->crossing.outbox);
            if (job->page)
                fan_page_free(job->page);
            if (job->sources)
                fan_page_free(job->sources);
            job_free(job);
        }
    }
    while ((job = fan_queue_pop(&engine->spare_jobs)))
        job_free(job);
    while (engine->spare_pages) {
        struct fan_page *page = engine->spare_pages;
        engine->spare_pages = page->next;
        fan_page_free(page);
    }
}
