/* @feedwire/client 0.1.0 as one file, made from clients/js by `npm run build`; do not edit.
 * SPDX-License-Identifier: Apache-2.0 */

// backoff.js
/* Backoff: how long to wait before the next attempt. Full jitter: any time between nothing and a limit that doubles,
 * because clients that lost the same server at the same moment must not come back at the same moment. */
class Backoff {
    #failures = 0;
    #options;
    #random;
    /** `random` gives a number from 0 up to, but not including, 1. */
    constructor(options, random) {
        this.#options = options;
        this.#random = random;
    }
    nextMs() {
        const { baseMs, maxMs } = this.#options;
        /* 2 ** 1024 is Infinity, and min() takes care of that. */
        const limit = Math.min(maxMs, baseMs * 2 ** this.#failures);
        this.#failures++;
        return Math.floor(this.#random() * limit);
    }
    /** To be called when a connection has proved that it lasts, not already when it opens: a server that accepts and
     * closes at once would be called without a pause. */
    reset() {
        this.#failures = 0;
    }
}

// listeners.js
/* Listeners: functions of the application. One that throws must not keep the others, or the connection, from working. */
class Listeners {
    #all = new Set();
    /** Each add counts, also of the same function; the function that it returns undoes just this one. */
    add(listener) {
        const one = { listener };
        this.#all.add(one);
        return () => void this.#all.delete(one);
    }
    tell(value) {
        for (const one of [...this.#all]) {
            if (this.#all.has(one))
                this.call(one.listener, value);
        }
    }
    call(listener, value) {
        try {
            listener(value);
        }
        catch (problem) {
            console.error('A listener of a Feedwire client threw:', problem);
        }
    }
}

// protocol.js
/* The messages of feedwire.v1.json (schemas/protocol.md) as types, and the reading of what the server sends. The
 * server may be newer than this client: unknown members are carried along and unknown types are skipped. What is known
 * but malformed is refused as a whole, because a feed with a hole in it must never look complete. */
const SUBPROTOCOL = 'feedwire.v1.json';
/** The server sent something that is against the protocol. */
class BadMessage extends Error {
}
function members(value, what) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new BadMessage(`${what} is not an object`);
    return value;
}
function need(from, name, type) {
    if (typeof from[name] !== type)
        throw new BadMessage(`"${name}" is not a ${type}`);
}
function checkRef(value, what) {
    const ref = members(value, what);
    need(ref, 'type', 'string');
    need(ref, 'id', 'string');
}
function checkTime(from, name) {
    need(from, name, 'string');
    if (Number.isNaN(Date.parse(from[name])))
        throw new BadMessage(`"${name}" is not a time`);
}
function checkEntry(value) {
    const entry = members(value, 'an entry');
    for (const name of ['id', 'actor', 'verb'])
        need(entry, name, 'string');
    checkTime(entry, 'published');
    checkRef(entry['object'], '"object"');
    if (entry['target'] !== undefined)
        checkRef(entry['target'], '"target"');
}
function checkEntries(value) {
    if (!Array.isArray(value))
        throw new BadMessage('"entries" is not an array');
    value.forEach(checkEntry);
}
function checkIds(value) {
    if (!Array.isArray(value))
        throw new BadMessage('"ids" is not an array');
    if (value.some((id) => typeof id !== 'string'))
        throw new BadMessage('an id is not a string');
}
function checkAwaited(message) {
    need(message, 'feed', 'string');
    if (message['id'] !== undefined)
        need(message, 'id', 'string');
}
const CHECKS = {
    welcome(message) {
        for (const name of ['session', 'tenant', 'user'])
            need(message, name, 'string');
        need(message, 'heartbeat_ms', 'number');
        checkTime(message, 'expires');
    },
    refreshed(message) {
        checkTime(message, 'expires');
    },
    slice(message) {
        for (const name of ['feed', 'outcome', 'position'])
            need(message, name, 'string');
        for (const name of ['reset', 'more'])
            need(message, name, 'boolean');
        checkEntries(message['entries']);
    },
    push(message) {
        for (const name of ['feed', 'position'])
            need(message, name, 'string');
        checkEntries(message['entries']);
    },
    remove(message) {
        for (const name of ['feed', 'position'])
            need(message, name, 'string');
        need(message, 'final', 'boolean');
        checkIds(message['ids']);
    },
    page(message) {
        need(message, 'feed', 'string');
        need(message, 'more', 'boolean');
        checkEntries(message['entries']);
        if (message['next'] === null)
            return;
        const next = members(message['next'], '"next"');
        for (const name of ['published', 'id'])
            need(next, name, 'string');
    },
    heartbeat(message) {
        const positions = members(message['positions'], '"positions"');
        for (const name of Object.keys(positions))
            need(positions, name, 'string');
    },
    visible: checkAwaited,
    passed: checkAwaited,
    timeout: checkAwaited,
    stale(message) {
        if (message['feed'] !== undefined)
            need(message, 'feed', 'string');
        need(message, 'lag_ms', 'number');
    },
    fresh(message) {
        if (message['feed'] !== undefined)
            need(message, 'feed', 'string');
    },
    error(message) {
        for (const name of ['code', 'message'])
            need(message, name, 'string');
        need(message, 'retryable', 'boolean');
    },
    bye(message) {
        need(message, 'reason', 'string');
        if (message['retry_after_ms'] !== undefined)
            need(message, 'retry_after_ms', 'number');
    },
};
/** Reads one frame. Undefined: a type that this version does not know. Throws BadMessage. */
function readMessage(data) {
    if (typeof data !== 'string')
        throw new BadMessage('a binary frame');
    let value;
    try {
        value = JSON.parse(data);
    }
    catch {
        throw new BadMessage('not JSON');
    }
    const message = members(value, 'a message');
    need(message, 'type', 'string');
    const type = message['type'];
    if (!Object.hasOwn(CHECKS, type))
        return undefined;
    CHECKS[type](message);
    return message;
}
function helloText(token, feeds) {
    return JSON.stringify({ type: 'hello', id: 'hello', token, feeds });
}
function refreshText(id, token) {
    return JSON.stringify({ type: 'refresh', id, token });
}
function pageText(id, feed, before, limit) {
    return JSON.stringify({ type: 'page', id, feed, before: { published: before.published, id: before.id }, limit });
}
function awaitText(id, feed, activities, timeoutMs) {
    const positions = activities.map(({ id, partition, offset }) => ({ id, partition, offset }));
    return JSON.stringify({ type: 'await', id, feed, positions, timeout_ms: timeoutMs });
}
/* What the WebSocket protocol itself says to a peer that breaks it or sends too much: trying again cannot mend it. */
const OUR_FAULT = new Set([1002, 1007, 1009]);
/** Whether a client must not come back by itself (schemas/close-codes.json). All of 4500-4999, so that codes made later
 * are obeyed too. */
function isFinalCode(code) {
    return (code >= 4500 && code <= 4999) || OUR_FAULT.has(code);
}

// feed-state.js
/** Order of a feed: by (published, id), newest first. */
function compareEntries(a, b) {
    const later = Date.parse(b.published) - Date.parse(a.published);
    if (later !== 0)
        return later;
    return a.id === b.id ? 0 : a.id > b.id ? -1 : 1;
}
class FeedState {
    /** Replaced, never changed in place. */
    entries = Object.freeze([]);
    /** There are older entries in the feed than the last one here. */
    more = false;
    /** There are, and a page would bring them. */
    canPage = false;
    /** What was seen so far, in the server's words; undefined before the first slice. */
    position;
    #maxEntries;
    #ids = new Set();
    /* Removed for good since the last slice, the newest of them: as many as there may be entries. */
    #gone = new Set();
    /* While there is more: where this piece of the feed ends. */
    #floor;
    constructor(maxEntries) {
        this.#maxEntries = maxEntries;
    }
    applySlice(slice) {
        this.position = slice.position;
        if (!slice.reset)
            return;
        this.#ids.clear();
        this.#gone.clear();
        this.more = this.canPage = slice.more;
        this.#floor = undefined;
        this.#keep([...slice.entries].sort(compareEntries).filter((entry) => this.#isNew(entry)));
    }
    applyPush(push) {
        this.position = push.position;
        const next = [...this.entries];
        for (const entry of push.entries) {
            if (this.more && this.#floor !== undefined && compareEntries(entry, this.#floor) > 0)
                continue;
            if (!this.#gone.has(entry.id) && this.#isNew(entry))
                next.splice(placeOf(entry, next), 0, entry);
        }
        if (next.length > this.entries.length)
            this.#keep(next);
    }
    applyRemove(remove) {
        this.position = remove.position;
        const ids = new Set(remove.ids);
        if (remove.final)
            this.#forget(ids);
        const left = this.entries.filter((entry) => !ids.has(entry.id));
        if (left.length === this.entries.length)
            return;
        for (const id of ids)
            this.#ids.delete(id);
        this.entries = Object.freeze(left);
    }
    /** What a page of older entries is asked before; undefined: there are none. */
    get pageBefore() {
        return this.canPage ? (this.#floor ?? this.entries.at(-1)) : undefined;
    }
    applyPage(page) {
        const next = [...this.entries];
        for (const entry of page.entries) {
            if (!this.#gone.has(entry.id) && this.#isNew(entry))
                next.splice(placeOf(entry, next), 0, entry);
        }
        const last = page.entries.at(-1);
        this.more = this.more && page.more;
        this.canPage = this.more && page.next !== null;
        if (!this.more)
            this.#floor = undefined;
        else if (last !== undefined && (this.#floor === undefined || compareEntries(last, this.#floor) > 0))
            this.#floor = last;
        this.#keep(next);
    }
    #forget(ids) {
        for (const id of ids)
            this.#gone.add(id);
        for (const oldest of this.#gone) {
            if (this.#gone.size <= this.#maxEntries)
                break;
            this.#gone.delete(oldest);
        }
    }
    #isNew(entry) {
        if (this.#ids.has(entry.id))
            return false;
        this.#ids.add(entry.id);
        return true;
    }
    #keep(entries) {
        for (const trimmed of entries.splice(this.#maxEntries)) {
            this.#ids.delete(trimmed.id);
            this.more = true;
            /* A page would bring what there is no room for. */
            this.canPage = false;
            this.#floor = undefined;
        }
        if (this.more)
            this.#floor ??= entries.at(-1);
        this.entries = Object.freeze(entries);
    }
}
/* New entries mostly belong at the front, but a late one may go anywhere. */
function placeOf(entry, entries) {
    let low = 0;
    let high = entries.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (compareEntries(entries[middle], entry) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// session.js
/* Session: the protocol from the client's side, without a socket. Frames and closes go in, what to do comes out; the
 * feeds and their positions live here and outlast each connection.
 *
 *            begin            welcome                a slice for every feed
 *   between ------> greeting --------> waiting --------------------------> live
 *      ^               |                  |                                 |
 *      '---------------+------------------+------------ end ---------------'                                        */
/* No server can send a client away, or keep it from noticing a dead connection, for longer than this. Also, setTimeout
 * takes what exceeds 2^31 ms for nothing at all. */
const SERVER_TIME_MAX_MS = 3_600_000;
/* Begins the id of a page message; its feed follows. */
const PAGE_ID = 'page:';
const AWAIT_ID = 'await:';
class Session {
    feeds;
    #limit;
    #welcomed = false;
    /* Feeds whose slice has come on this connection. */
    #complete = new Set();
    /* Feeds that the server called stale on it. */
    #stale = new Set();
    #retryAfterMs;
    #farewell;
    constructor(feeds, maxEntries, limit) {
        this.feeds = new Map(feeds.map((feed) => [feed, new FeedState(maxEntries)]));
        this.#limit = limit;
    }
    /** A connection has opened; gives the first frame. */
    begin(token) {
        return helloText(token, [...this.feeds].map(([feed, state]) => this.#request(feed, state)));
    }
    #request(feed, state) {
        return {
            feed,
            ...(state.position !== undefined && { position: state.position }),
            ...(this.#limit !== undefined && { limit: this.#limit }),
        };
    }
    isLive(feed) {
        return this.#complete.has(feed);
    }
    /** Gives the frame that offers a new token. */
    refresh(token) {
        return refreshText('refresh', token);
    }
    /** Asks for older entries; gives the frame. Undefined: there are none. The feed is live, and no page of it under way. */
    page(feed, limit) {
        const before = this.feeds.get(feed)?.pageBefore;
        return before === undefined ? undefined : pageText(PAGE_ID + feed, feed, before, limit);
    }
    /** Asks whether these activities have got into the feed; gives the frame. `number` names it in the effect `awaited`. */
    await(number, feed, activities, timeoutMs) {
        return awaitText(AWAIT_ID + number, feed, activities, timeoutMs);
    }
    /** The server says that this feed may be behind; without a name: that any of them may. */
    isStale(feed) {
        return feed === undefined ? this.#stale.size > 0 : this.#stale.has(feed);
    }
    receive(data) {
        try {
            const message = readMessage(data);
            return message === undefined ? [] : this.#take(message);
        }
        catch (problem) {
            if (!(problem instanceof BadMessage))
                throw problem;
            return distrust('bad_server_message', `the server sent a message that cannot be used: ${problem.message}`);
        }
    }
    #take(message) {
        switch (message.type) {
            case 'welcome':
                if (this.#welcomed)
                    throw new BadMessage('a second welcome');
                if (!(message.heartbeat_ms > 0))
                    throw new BadMessage('"heartbeat_ms" is not positive');
                this.#welcomed = true;
                return [
                    { do: 'welcomed', user: message.user, heartbeatMs: Math.min(message.heartbeat_ms, SERVER_TIME_MAX_MS) },
                    { do: 'expires', atMs: Date.parse(message.expires) },
                ];
            case 'refreshed':
                return [{ do: 'expires', atMs: Date.parse(message.expires) }];
            case 'slice': {
                const state = this.#stateOf(message.feed);
                state.applySlice(message);
                if (this.#complete.has(message.feed))
                    return [];
                this.#complete.add(message.feed);
                return this.#complete.size === this.feeds.size ? [{ do: 'live' }] : [];
            }
            case 'push':
            case 'remove': {
                const state = this.#completeStateOf(message);
                if (message.type === 'push')
                    state.applyPush(message);
                else
                    state.applyRemove(message);
                return [];
            }
            case 'page':
                this.#completeStateOf(message).applyPage(message);
                return [{ do: 'paged', feed: message.feed }];
            case 'heartbeat':
                return this.#checkPositions(message.positions);
            case 'visible':
            case 'passed':
            case 'timeout':
                if (!message.id?.startsWith(AWAIT_ID))
                    throw new BadMessage('an answer to nothing');
                return [{ do: 'awaited', number: Number(message.id.slice(AWAIT_ID.length)), end: message.type }];
            case 'stale':
            case 'fresh':
                for (const feed of message.feed === undefined ? this.feeds.keys() : [message.feed]) {
                    this.#stateOf(feed);
                    if (message.type === 'stale')
                        this.#stale.add(feed);
                    else
                        this.#stale.delete(feed);
                }
                return [];
            case 'error':
                return this.#takeError(message);
            case 'bye':
                this.#farewell = message.reason;
                if (message.retry_after_ms !== undefined) {
                    this.#retryAfterMs = Math.min(Math.max(message.retry_after_ms, 0), SERVER_TIME_MAX_MS);
                }
                return [];
        }
    }
    #takeError({ code, message, retryable, id }) {
        const error = { code, message, retryable };
        if (typeof id === 'string' && id.startsWith(PAGE_ID))
            return [{ do: 'paged', feed: id.slice(PAGE_ID.length), error }];
        if (typeof id === 'string' && id.startsWith(AWAIT_ID))
            return [{ do: 'awaited', number: Number(id.slice(AWAIT_ID.length)), error }];
        /* Before welcome it tells why the close that follows will come. */
        this.#farewell = `${code}: ${message}`;
        return [{ do: 'report', error }];
    }
    #completeStateOf({ type, feed }) {
        const state = this.#stateOf(feed);
        if (!this.#complete.has(feed))
            throw new BadMessage(`a ${type} before the slice of its feed`);
        return state;
    }
    #stateOf(feed) {
        const state = this.feeds.get(feed);
        if (!this.#welcomed)
            throw new BadMessage('entries before the welcome');
        if (state === undefined)
            throw new BadMessage('a feed that was not asked for');
        return state;
    }
    /* A connection that pings but does not deliver is found by the positions: frames come in order, so what a heartbeat
     * says must be what we have. */
    #checkPositions(positions) {
        for (const [feed, state] of this.feeds) {
            const theirs = Object.hasOwn(positions, feed) ? positions[feed] : undefined;
            if (theirs !== undefined && this.#complete.has(feed) && theirs !== state.position) {
                return distrust('missed', `something of "${feed}" did not arrive`);
            }
        }
        return [{ do: 'steady' }];
    }
    /** The connection, or the attempt at one, is over. */
    end(code, reason) {
        const why = reason || this.#farewell || '';
        const afterMs = this.#retryAfterMs;
        this.#welcomed = false;
        this.#complete.clear();
        this.#stale.clear();
        this.#retryAfterMs = undefined;
        this.#farewell = undefined;
        if (isFinalCode(code))
            return { final: true, code, reason: why };
        return { final: false, code, reason: why, ...(afterMs !== undefined && { afterMs }) };
    }
}
function distrust(code, message) {
    return [{ do: 'report', error: { code, message, retryable: true } }, { do: 'drop' }];
}

// store.js
class FeedStore {
    snapshot;
    #state;
    #listeners = new Listeners();
    loadOlder;
    await;
    constructor(state, status, loadOlder, awaitFn) {
        this.#state = state;
        this.loadOlder = loadOlder;
        this.await = awaitFn;
        this.snapshot = Object.freeze({ entries: state.entries, more: state.canPage, status });
    }
    get entries() {
        return this.snapshot.entries;
    }
    get status() {
        return this.snapshot.status;
    }
    subscribe = (listener) => {
        const stop = this.#listeners.add(listener);
        this.#listeners.call(listener, this.snapshot);
        return stop;
    };
    /** Takes over what the state and the connection have become. */
    refresh(status) {
        const { entries, canPage: more } = this.#state;
        const old = this.snapshot;
        if (old.entries === entries && old.more === more && old.status === status)
            return;
        this.snapshot = Object.freeze({ entries, more, status });
        this.#listeners.tell(this.snapshot);
    }
}

// client.js
/* Client: brings the session together with sockets, timers and the application. There is at most one socket and at
 * most one timer at any moment, and both belong to the present state:
 *
 *   state        socket    timer
 *   connecting   one       gives the attempt up, from asking for the token to the last slice
 *   live, stale  one       nothing was heard for two heartbeats
 *   offline      none      begins the next attempt
 *   closed       none      none
 *
 * A socket that was left, and a token that comes too late, find that `#link` is another one, and have no effect. */
const ATTEMPT_MS = 30_000;
/* A token that ends within so many heartbeats is renewed with the next one. */
const RENEW_HEARTBEATS = 3;
const BACKOFF = { baseMs: 1_000, maxMs: 30_000 };
/* A promise with its two ends. */
class Waiting {
    resolve;
    reject;
    promise = new Promise((resolve, reject) => {
        this.resolve = resolve;
        this.reject = reject;
    });
}
function offline() {
    return { code: 'offline', message: 'there is no connection', retryable: true };
}
class FeedClient {
    status = 'connecting';
    /** Whose feeds these are; known after the first welcome. */
    user;
    #options;
    #host;
    #WebSocket;
    #session;
    #backoff;
    #stores = new Map();
    #listeners = {
        status: new Listeners(),
        error: new Listeners(),
        closed: new Listeners(),
    };
    #stopWaking;
    #link;
    #stopTimer = () => { };
    /* Pages that were asked for on this connection, one a feed. */
    #pages = new Map();
    #awaits = new Map();
    #awaitNumber = 0;
    #heartbeatMs = 0;
    /* The server said when to come back: not earlier, whatever happens here. */
    #obliged = false;
    /** Throws if the options cannot work. */
    constructor(options, host) {
        const feeds = options.feeds ?? ['home', 'notifications'];
        const maxEntries = options.maxEntries ?? 500;
        const WebSocket = options.WebSocket ?? host.WebSocket;
        if (!/^wss?:$/.test(new URL(options.url).protocol))
            throw new TypeError('url must begin with ws: or wss:');
        if (WebSocket === undefined)
            throw new TypeError('There is no WebSocket here: pass one, e.g. that of the package "ws"');
        if (feeds.length === 0)
            throw new TypeError('feeds is empty');
        if (!(maxEntries >= 1))
            throw new RangeError('maxEntries must be at least 1');
        this.#options = options;
        this.#host = host;
        this.#WebSocket = WebSocket;
        this.#session = new Session(feeds, maxEntries, options.limit);
        this.#backoff = new Backoff({ ...BACKOFF, ...options.backoff }, () => host.random());
        for (const [feed, state] of this.#session.feeds) {
            this.#stores.set(feed, new FeedStore(state, 'connecting', (limit) => this.#loadOlder(feed, limit), (activities, timeoutMs) => this.#await(feed, activities, timeoutMs)));
        }
        this.#stopWaking = host.onWake(() => this.#wake());
        void this.#attempt();
    }
    /** One of the feeds that were asked for. */
    feed(name) {
        const store = this.#stores.get(name);
        if (store === undefined)
            throw new RangeError(`"${name}" is not among the feeds of this client`);
        return store;
    }
    /** Calls `listener` for each event, until the function that it returns is called. */
    on(event, listener) {
        return this.#listeners[event].add(listener);
    }
    async #loadOlder(feed, limit) {
        const underWay = this.#pages.get(feed);
        if (underWay !== undefined)
            return underWay.promise;
        if (this.#link?.socket === undefined || !this.#session.isLive(feed))
            throw offline();
        const frame = this.#session.page(feed, limit);
        if (frame === undefined)
            return false;
        const page = new Waiting();
        this.#pages.set(feed, page);
        this.#link.socket.send(frame);
        return page.promise;
    }
    async #await(feed, activities, timeoutMs) {
        if (this.#link?.socket === undefined || !this.#session.isLive(feed))
            throw offline();
        const waiting = new Waiting();
        const number = ++this.#awaitNumber;
        this.#awaits.set(number, waiting);
        this.#link.socket.send(this.#session.await(number, feed, activities, timeoutMs));
        return waiting.promise;
    }
    #endAwait(number, end, error = offline()) {
        const waiting = this.#awaits.get(number);
        this.#awaits.delete(number);
        if (end === undefined)
            waiting?.reject(error);
        else
            waiting?.resolve(end);
    }
    /* What was asked over a connection that is gone. */
    #endAll() {
        for (const feed of [...this.#pages.keys()])
            this.#endPage(feed, offline());
        for (const number of [...this.#awaits.keys()])
            this.#endAwait(number);
    }
    #endPage(feed, error) {
        const page = this.#pages.get(feed);
        this.#pages.delete(feed);
        if (error === undefined)
            page?.resolve(this.#session.feeds.get(feed).canPage);
        else
            page?.reject(error);
    }
    /** Ends it for good. */
    close() {
        if (this.status === 'closed')
            return;
        this.#leave((socket) => socket.close(1000));
        this.#finish({ code: 1000, reason: 'closed by the application' });
    }
    async #attempt() {
        const link = {};
        this.#link = link;
        this.#obliged = false;
        this.#setTimer(ATTEMPT_MS, () => this.#lose(0, 'the attempt took too long'));
        this.#become({ status: 'connecting' });
        if (this.#link !== link)
            return;
        let token;
        try {
            token = await this.#options.token();
        }
        catch (problem) {
            if (this.#link === link)
                this.#fail('token_failed', `no token: ${textOf(problem)}`);
            return;
        }
        if (this.#link === link)
            this.#open(link, token);
    }
    #open(link, token) {
        let socket;
        try {
            socket = new this.#WebSocket(this.#options.url, SUBPROTOCOL);
        }
        catch (problem) {
            this.#fail('connect_failed', `no connection: ${textOf(problem)}`);
            return;
        }
        link.socket = socket;
        socket.onopen = () => {
            if (this.#link === link)
                socket.send(this.#session.begin(token));
        };
        socket.onmessage = (event) => {
            if (this.#link === link)
                this.#receive(link, event.data);
        };
        socket.onclose = (event) => {
            if (this.#link === link)
                this.#end(event.code, event.reason);
        };
        /* A close follows and says more. Without a listener `ws` would throw. */
        socket.onerror = () => { };
    }
    #receive(link, data) {
        if (this.#isOpen())
            this.#watch();
        for (const effect of this.#session.receive(data)) {
            /* A listener may have closed the client. */
            if (this.#link !== link)
                return;
            if (effect.do === 'welcomed') {
                this.user = effect.user;
                this.#heartbeatMs = effect.heartbeatMs;
            }
            else if (effect.do === 'live') {
                this.#watch();
                this.#become({ status: 'live' });
            }
            else if (effect.do === 'steady') {
                this.#backoff.reset();
                this.#renewToken(link);
            }
            else if (effect.do === 'expires') {
                link.tokenEndsMs = effect.atMs;
            }
            else if (effect.do === 'report') {
                this.#listeners.error.tell(effect.error);
            }
            else if (effect.do === 'paged') {
                this.#refresh();
                this.#endPage(effect.feed, effect.error);
            }
            else if (effect.do === 'awaited') {
                this.#refresh();
                this.#endAwait(effect.number, effect.end, effect.error);
            }
            else {
                this.#lose(0, 'the connection cannot be trusted');
            }
        }
        if (this.#isOpen())
            this.#become({ status: this.#session.isStale() ? 'stale' : 'live' });
        this.#refresh();
    }
    /* Before the token ends, the connection gets a new one, and lives on. Without it the server ends the connection, and the
     * next one comes with a new token. */
    #renewToken(link) {
        const endsMs = link.tokenEndsMs;
        if (endsMs === undefined || endsMs - this.#host.now() > RENEW_HEARTBEATS * this.#heartbeatMs)
            return;
        delete link.tokenEndsMs;
        const renew = async () => {
            const token = await this.#options.token();
            if (this.#link === link)
                link.socket.send(this.#session.refresh(token));
        };
        renew().catch((problem) => {
            if (this.#link !== link)
                return;
            link.tokenEndsMs = endsMs;
            this.#listeners.error.tell({ code: 'token_failed', message: `no new token: ${textOf(problem)}`, retryable: true });
        });
    }
    #isOpen() {
        return this.status === 'live' || this.status === 'stale';
    }
    #watch() {
        this.#setTimer(2 * this.#heartbeatMs, () => this.#lose(0, 'nothing was heard for two heartbeats'));
    }
    #fail(code, message) {
        const link = this.#link;
        this.#listeners.error.tell({ code, message, retryable: true });
        if (this.#link === link)
            this.#lose(0, message);
    }
    /* Gives the present connection or attempt up, from this side. Closing in good order may take a dead peer's time,
     * so nobody waits for it. */
    #lose(code, reason) {
        this.#leave((socket) => (socket.terminate === undefined ? socket.close() : socket.terminate()));
        this.#end(code, reason);
    }
    #leave(how) {
        const socket = this.#link?.socket;
        this.#link = undefined;
        if (socket !== undefined)
            how(socket);
    }
    #end(code, reason) {
        this.#link = undefined;
        const ending = this.#session.end(code, reason);
        this.#endAll();
        if (ending.final) {
            this.#finish(ending);
            return;
        }
        const retryInMs = ending.afterMs ?? this.#backoff.nextMs();
        this.#obliged = ending.afterMs !== undefined;
        this.#setTimer(retryInMs, () => void this.#attempt());
        this.#become({ status: 'offline', retryInMs, code: ending.code, reason: ending.reason });
    }
    #finish({ code, reason }) {
        this.#session.end(code, reason);
        this.#endAll();
        this.#stopTimer();
        this.#stopWaking();
        this.#become({ status: 'closed', code, reason });
        this.#listeners.closed.tell({ code, reason });
    }
    #wake() {
        if (this.status === 'offline' && !this.#obliged)
            void this.#attempt();
    }
    #setTimer(ms, fn) {
        this.#stopTimer();
        this.#stopTimer = this.#host.timer(fn, ms);
    }
    /* The stores first, so that whoever hears of a status finds the feeds in it. */
    #become(event) {
        if (this.status === event.status)
            return;
        this.status = event.status;
        this.#refresh();
        if (this.status === event.status)
            this.#listeners.status.tell(Object.freeze(event));
    }
    #refresh() {
        for (const [feed, store] of this.#stores) {
            const live = this.#isOpen() || (this.status === 'connecting' && this.#session.isLive(feed));
            store.refresh(!live ? this.status : this.#session.isStale(feed) ? 'stale' : 'live');
        }
    }
}
function textOf(problem) {
    return problem instanceof Error ? problem.message : String(problem);
}

// host.js
/* Host: what the client needs of the place where it runs, so that tests can be that place. */
function defaultHost() {
    return {
        WebSocket: globalThis.WebSocket,
        now: Date.now,
        random: Math.random,
        timer(fn, ms) {
            const timer = setTimeout(fn, ms);
            return () => clearTimeout(timer);
        },
        onWake,
    };
}
function onWake(fn) {
    if (typeof document === 'undefined')
        return () => { };
    const onVisible = () => {
        if (document.visibilityState === 'visible')
            fn();
    };
    addEventListener('online', fn);
    document.addEventListener('visibilitychange', onVisible);
    return () => {
        removeEventListener('online', fn);
        document.removeEventListener('visibilitychange', onVisible);
    };
}

// index.js
/* @feedwire/client: a live feed from a Feedwire gateway. */
/** Begins to connect, and stays connected until `close()` or until the server says that coming back is of no use. */
export function connect(options) {
    return new FeedClient(options, defaultHost());
}
