/** A change is news when it is newer than the place, and newer than the task that is kept. */
export function isNews({ kind, op, revision }, place, kept) {
    if (kind !== "task" || revision <= (place?.revision ?? 0))
        return false;
    if (op === "put")
        return !kept || kept.revision < revision;
    return op === "delete" && kept !== undefined && kept.revision < revision;
}
/** The place behind the changes. It never goes back, so a change that comes again is no news. */
export function placeBehind(changes, token, before) {
    return { token, revision: Math.max(before?.revision ?? 0, ...changes.map((change) => change.revision)) };
}
/** Lives as long as the page. */
export class MemoryStore {
    #tasks = new Map();
    #place;
    place = async () => this.#place;
    all = async () => [...this.#tasks.values()];
    clear = async () => this.#set([], undefined);
    replace = async (tasks, place) => this.#set(tasks, place);
    async apply(changes, token) {
        const news = changes.filter((change) => {
            if (!isNews(change, this.#place, this.#tasks.get(change.id)))
                return false;
            if (change.data)
                this.#tasks.set(change.id, change.data);
            else
                this.#tasks.delete(change.id);
            return true;
        });
        this.#place = placeBehind(changes, token, this.#place);
        return news;
    }
    #set(tasks, place) {
        this.#tasks = new Map(tasks.map((task) => [task.id, task]));
        this.#place = place;
    }
}
/** Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) in any chunks. */
export class EventParser {
    retry; // in ms, as the server asked last
    #id = "";
    #event = "";
    #data = [];
    #fields = 0;
    #line = "";
    #afterCr = false;
    #decoder = new TextDecoder(); // keeps half a character until the rest comes
    /** The events that end in this chunk. */
    feed(chunk) {
        let text = this.#decoder.decode(chunk, { stream: true });
        if (!text)
            return [];
        if (this.#afterCr && text.startsWith("\n"))
            text = text.slice(1); // the second half of CR LF
        this.#afterCr = text.endsWith("\r");
        const lines = (this.#line + text).split(/\r\n|\r|\n/);
        this.#line = lines.pop();
        return lines.flatMap((line) => this.#take(line) ?? []);
    }
    #take(line) {
        if (line === "")
            return this.#end();
        const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line); // a comment has no name
        if (name === "event")
            this.#event = value;
        else if (name === "data")
            this.#data.push(value);
        else if (name === "id" && !value.includes("\0"))
            this.#id = value;
        else if (name === "retry" && /^\d+$/.test(value))
            this.retry = Number(value);
        else
            return;
        this.#fields++;
    }
    /** A block without data is an event, too: the first one has the place and nothing else. */
    #end() {
        const event = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
        const empty = this.#fields === 0;
        [this.#event, this.#data, this.#fields] = ["", [], 0];
        return empty ? undefined : event;
    }
}
/** The chunks of a body. Safari cannot iterate one. */
async function* chunksOf(body) {
    const reader = body.getReader();
    try {
        for (let read; !(read = await reader.read()).done;)
            yield read.value;
    }
    finally {
        reader.cancel().catch(() => { });
    }
}
/** All in ms. */
export const TIMES = {
    first: 10_000, // until the first event, which the server sends at once; a proxy may hold it back
    dead: 45_000, // without a byte: the server sends a comment every 20 s
    retry: 3_000, // until a line that broke is tried again, if the server has not said
    longest: 60_000, // and if it breaks again and again
    poll: 5_000, // between two polls
    again: 300_000, // while polling, until the stream is tried again, at most
    answer: 30_000, // for one answer that is no stream
};
/** The API said no. */
class Refused extends Error {
    problem;
    afterMs;
    constructor(problem, afterMs) {
        super(problem.detail);
        this.problem = problem;
        this.afterMs = afterMs;
    }
}
export class Live {
    base;
    token;
    store;
    state = "offline";
    why; // of the state
    #listeners = new Set();
    #times;
    #running;
    #stopped = false;
    #turn = new AbortController(); // what is going on now: wake() and stop() end it
    #renew = false; // the last token was refused
    #stale = false; // the log does not reach back to the place
    #half; // of a load that broke
    #retry;
    #failures = 0; // in a row
    #misses = 0; // streams in a row that were not heard
    #missedFor;
    #streamAt = 0; // when the next stream may be tried
    /** `base` ends with the user: `https://api.example.com/api/me`. `token(true)` must get a new one. */
    constructor(base, token, store, times = {}) {
        this.base = base;
        this.token = token;
        this.store = store;
        this.#times = { ...TIMES, ...times };
        this.#retry = this.#times.retry;
    }
    /** Gives back what ends it. */
    listen(listener) {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
    }
    /** Runs until stop(). */
    start() {
        this.#stopped = false;
        this.#running ??= this.#run().finally(() => (this.#running = undefined));
        return this.#running;
    }
    /** When it has ended, nothing is written any more. */
    async stop() {
        this.#stopped = true;
        this.#turn.abort();
        await this.#running;
    }
    /** Tries again at once: addEventListener("online", () => live.wake()). */
    wake() {
        this.#failures = this.#misses = this.#streamAt = 0;
        this.#turn.abort();
    }
    async #run() {
        if (await this.store.place())
            await this.#tellLoaded();
        while (!this.#stopped) {
            this.#turn = new AbortController();
            await pause(await this.#round(), this.#turn.signal);
        }
        this.#say("offline");
    }
    /** Listens or polls once; gives back how long to wait then. */
    async #round() {
        const turn = this.#turn.signal;
        try {
            if (this.#stale || !(await this.store.place()))
                await this.#load();
            if (Date.now() >= this.#streamAt) {
                const { heard, error } = await this.#stream(turn);
                if (turn.aborted)
                    return 0;
                if (heard)
                    return this.#renew ? 0 : this.#backoff(0);
                this.#missed(error);
            }
            await this.#poll();
            this.#failures = 0;
            this.#say("polling", this.#missedFor);
            return jittered(this.#times.poll);
        }
        catch (error) {
            return turn.aborted ? 0 : this.#failed(error);
        }
    }
    #missed(error) {
        const refused = error instanceof Refused ? error : undefined;
        this.#missedFor = refused?.problem;
        const grown = Math.min(this.#times.again, this.#times.poll * 2 ** ++this.#misses);
        this.#streamAt = Date.now() + Math.max(jittered(grown), refused?.afterMs ?? 0);
    }
    #failed(error) {
        const refused = error instanceof Refused ? error : undefined;
        this.#streamAt = 0; // a line that is back is asked for a stream first
        if (refused?.problem.code === "changes_expired")
            return this.#expired();
        if (refused?.problem.status === 422)
            this.#expired(); // what is kept is no token, or no cursor
        this.#say("offline", refused?.problem);
        return Math.max(this.#backoff(this.#failures++), refused?.afterMs ?? 0);
    }
    /** The list is loaded next. All clients do that after a restore: not all at one moment. */
    #expired() {
        this.#stale = true;
        this.#half = undefined;
        return this.#backoff(0);
    }
    #backoff(failures) {
        return jittered(Math.min(this.#times.longest, this.#retry * 2 ** failures));
    }
    /** The token of the first page is the place: what later pages have beyond it comes again, and is no news. */
    async #load() {
        do {
            const cursor = this.#half ? `&cursor=${encodeURIComponent(this.#half.cursor)}` : "";
            const page = await this.#get(`/tasks?order=asc&limit=1000&total=false${cursor}`);
            const { tasks = [], place = { token: page.sync_token, revision: page.revision } } = this.#half ?? {};
            tasks.push(...page.tasks);
            this.#half = { tasks, place, cursor: page.next_cursor ?? "" };
        } while (this.#half.cursor);
        await this.store.replace(this.#half.tasks, this.#half.place);
        [this.#half, this.#stale] = [undefined, false];
        await this.#tellLoaded();
    }
    async #poll() {
        for (let more = true; more;) {
            const since = encodeURIComponent((await this.store.place()).token);
            const page = await this.#get(`/changes?limit=1000&since=${since}`);
            await this.#apply(page.changes, page.sync_token);
            more = page.has_more;
        }
    }
    async #stream(turn) {
        const silence = new AbortController();
        const signal = AbortSignal.any([turn, silence.signal]);
        let timer = setTimeout(() => silence.abort(), this.#times.first);
        let heard = false;
        try {
            const parser = new EventParser();
            for await (const chunk of chunksOf(await this.#open(signal))) {
                clearTimeout(timer);
                timer = setTimeout(() => silence.abort(), this.#times.dead);
                const events = parser.feed(chunk);
                this.#retry = parser.retry ?? this.#retry;
                if (events.length)
                    heard = this.#heard();
                if (await this.#take(events))
                    break;
            }
            return { heard };
        }
        catch (error) {
            return { heard, error };
        }
        finally {
            clearTimeout(timer);
        }
    }
    /** Behind the place, wherever an earlier stream ended. */
    async #open(signal) {
        const { token } = (await this.store.place());
        const response = await this.#ask("/events", signal, { Accept: "text/event-stream", "Last-Event-ID": token });
        const type = response.headers.get("Content-Type") ?? "none";
        if (response.body && type.startsWith("text/event-stream"))
            return response.body;
        await response.body?.cancel();
        throw new Error(`no stream, but ${type}`);
    }
    #heard() {
        this.#failures = this.#misses = this.#streamAt = 0;
        this.#say("live");
        return true;
    }
    /** True when the stream is of no use any more. */
    async #take(events) {
        const end = events.findIndex(({ event }) => event === "reset" || event === "expired");
        const before = end < 0 ? events : events.slice(0, end);
        const changes = before.filter(({ event }) => event === "change").map(({ data }) => JSON.parse(data));
        const token = before.at(-1)?.id;
        if (token)
            await this.#apply(changes, token);
        if (end < 0)
            return false;
        if (events[end].event === "reset")
            this.#expired();
        else
            this.#renew = true;
        return true;
    }
    async #apply(changes, token) {
        for (const change of await this.store.apply(changes, token))
            this.#tell((listener) => listener.changed?.(change));
    }
    async #get(path) {
        const signal = AbortSignal.any([this.#turn.signal, AbortSignal.timeout(this.#times.answer)]);
        return (await this.#ask(path, signal)).json();
    }
    /** A token that is refused is renewed, once. */
    async #ask(path, signal, headers = {}) {
        for (;;) {
            const renewed = this.#renew;
            const Authorization = `Bearer ${await this.token(renewed)}`;
            const response = await fetch(this.base + path, { headers: { ...headers, Authorization }, signal });
            this.#renew = response.status === 401;
            if (response.ok)
                return response;
            const refused = await refusal(response);
            if (!this.#renew || renewed)
                throw refused;
        }
    }
    async #tellLoaded() {
        const tasks = await this.store.all();
        this.#tell((listener) => listener.loaded?.(tasks));
    }
    #say(state, why) {
        if (state === this.state && why?.code === this.why?.code)
            return;
        [this.state, this.why] = [state, why];
        this.#tell((listener) => listener.state?.(state, why));
    }
    /** A listener that throws keeps nobody else from being told. */
    #tell(tell) {
        for (const listener of this.#listeners) {
            try {
                tell(listener);
            }
            catch (error) {
                queueMicrotask(() => {
                    throw error;
                });
            }
        }
    }
}
async function refusal(response) {
    const text = await response.text();
    const ours = response.headers.get("Content-Type")?.startsWith("application/problem+json");
    const foreign = { status: response.status, code: "foreign", detail: `HTTP ${response.status}, not of the API` };
    const afterMs = (Number(response.headers.get("Retry-After")) || 0) * 1000;
    return new Refused((ours ? JSON.parse(text) : foreign), afterMs);
}
/** Between half and one and a half: never all clients at one moment. */
const jittered = (ms) => ms * (0.5 + Math.random());
/** Ends early when the turn ends. */
function pause(ms, turn) {
    return new Promise((done) => {
        if (turn.aborted)
            return done();
        const timer = setTimeout(done, ms);
        turn.addEventListener("abort", () => (clearTimeout(timer), done()));
    });
}
