/* No line of memory is written by every thread for each command: counted, not believed.
 *
 * Two threads with an executor each run commands one after the other, while all memory that
 * they could share is read-only.  Each write faults; the handler notes its cache line, lets
 * that one instruction pass, and closes the page again.  Lines that both have written are
 * what they would fight over if they ran at the same time.
 *
 * It needs a processor that single-steps a program by itself, and no sanitizer, whose own
 * notes would be found too. */
#include "base/mem.h"
#include "check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CANNOT_COUNT "a sanitizer writes too"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CANNOT_COUNT "a sanitizer writes too"
#endif
#endif
#if !defined(CANNOT_COUNT) && !(defined(__linux__) && defined(__x86_64__))
#define CANNOT_COUNT "writes are counted on Linux on x86-64 only"
#endif

#ifdef CANNOT_COUNT

int main(void)
{
    printf("skipped: %s\n", CANNOT_COUNT);
    return check_done();
}

#else

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "exec/call.h"
#include "server/families.h"
#include "store/keyspace_internal.h"

enum { THREADS = 2, COMMANDS = 64, REGIONS = 512, LINES = 1 << 14, OPEN_PAGES = 4 };
enum { SYSTEM_PAGE = 4096, TRAP_FLAG = 0x100 };

struct region {
    uintptr_t start, end;
};

/* All of it is the test's own data, which stays writable. */
static struct {
    struct region regions[REGIONS];
    size_t region_count;
    struct region objects[THREADS + 1]; /* what own_memory() gave */
    size_t object_count;
    uintptr_t open[OPEN_PAGES]; /* pages that the current instruction may write */
    size_t open_count;
    struct {
        uintptr_t line;
        uint32_t writes[THREADS];
    } lines[LINES];
    unsigned thread; /* whose writes are noted */
} watch;

/* ---- what may be written ---------------------------------------------------------------- */

static void add_region(uintptr_t start, uintptr_t end)
{
    if (start < end) {
        CHECK(watch.region_count < REGIONS);
        watch.regions[watch.region_count++] = (struct region){ start, end };
    }
}

/* All but the calling thread's stack, where its thread-local data is too. */
static void add_around_stack(uintptr_t start, uintptr_t end)
{
    pthread_attr_t attributes;
    void *stack;
    size_t size;
    CHECK_INT(pthread_getattr_np(pthread_self(), &attributes), 0);
    CHECK_INT(pthread_attr_getstack(&attributes, &stack, &size), 0);
    pthread_attr_destroy(&attributes);
    uintptr_t low = (uintptr_t)stack, high = low + size;
    if (high <= start || low >= end) {
        add_region(start, end);
        return;
    }
    add_region(start, low);
    add_region(high, end);
}

static bool is_watched(uintptr_t address)
{
    for (size_t i = 0; i < watch.region_count; i++) {
        if (address >= watch.regions[i].start && address < watch.regions[i].end) {
            return true;
        }
    }
    return false;
}

/* Notes the writable memory that belongs to no file: heaps and maps.  What follows a file's
 * pages at once is that file's too. */
static void find_regions(void)
{
    static char text[1 << 18];
    size_t len = 0;
    ssize_t count;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    while ((count = read(fd, text + len, sizeof text - 1 - len)) > 0) {
        len += (size_t)count;
    }
    close(fd);
    text[len] = '\0';
    watch.region_count = 0;
    uintptr_t file_end = 0;
    for (char *at = text; *at != '\0';) {
        char *end = strchr(at, '\n');
        CHECK(end != NULL);
        *end = '\0';
        char *rest, *name = strpbrk(at, "/[");
        uintptr_t low = strtoul(at, &rest, 16), high = strtoul(rest + 1, &rest, 16);
        bool writable = strncmp(rest, " rw-p", 5) == 0;
        bool of_file = (name != NULL && *name == '/') || low == file_end;
        if (of_file) {
            file_end = high;
        } else if (writable && (name == NULL || strcmp(name, "[heap]") == 0)) {
            add_around_stack(low, high);
        }
        at = end + 1;
    }
    /* Memory of the test's objects may lie right behind a file's, and look like its data. */
    for (size_t i = 0; i < watch.object_count; i++) {
        if (!is_watched(watch.objects[i].start)) {
            add_around_stack(watch.objects[i].start, watch.objects[i].end);
        }
    }
    CHECK(watch.region_count > 0);
}

static void protect_all(int protection)
{
    for (size_t i = 0; i < watch.region_count; i++) {
        struct region region = watch.regions[i];
        CHECK_INT(mprotect((void *)region.start, region.end - region.start, protection), 0);
    }
}

/* ---- noting writes ---------------------------------------------------------------------- */

static void note_write(uintptr_t address)
{
    uintptr_t line = address / CACHE_LINE;
    size_t at = (line * UINT64_C(0x9e3779b97f4a7c15)) >> 50;
    while (watch.lines[at].line != 0 && watch.lines[at].line != line) {
        at = (at + 1) % LINES;
    }
    watch.lines[at].line = line;
    watch.lines[at].writes[watch.thread]++;
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *state = context;
    uintptr_t address = (uintptr_t)info->si_addr;
    uintptr_t page = address / SYSTEM_PAGE * SYSTEM_PAGE;
    if (!is_watched(address) || watch.open_count == OPEN_PAGES) {
        signal(signal_number, SIG_DFL); /* A fault of another kind: it comes again. */
        return;
    }
    note_write(address);
    watch.open[watch.open_count++] = page;
    mprotect((void *)page, SYSTEM_PAGE, PROT_READ | PROT_WRITE);
    state->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *state = context;
    (void)signal_number;
    (void)info;
    while (watch.open_count > 0) {
        mprotect((void *)watch.open[--watch.open_count], SYSTEM_PAGE, PROT_READ);
    }
    state->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO };
    sigemptyset(&action.sa_mask);
    action.sa_sigaction = on_fault;
    CHECK_INT(sigaction(SIGSEGV, &action, NULL), 0);
    action.sa_sigaction = on_step;
    CHECK_INT(sigaction(SIGTRAP, &action, NULL), 0);
}

/* ---- threads that run commands ---------------------------------------------------------- */

struct host {
    alignas(CACHE_LINE) struct engine engine;
    struct clock clock;
    struct log log;
};

struct guest {
    alignas(CACHE_LINE) struct executor executor;
    alignas(CACHE_LINE) struct session session;
    struct reply reply;
    char keys[COMMANDS][32];
    struct bytes argv[COMMANDS][3];
    uint32_t argc;
    unsigned number;
    bool counts; /* writes to a word of everybody's for each command, to be found out */
};

static struct host *host;
static struct guest *guests[THREADS];

static void write_nothing(void *user, enum log_level level, struct bytes line)
{
    (void)user;
    (void)level;
    (void)line;
}

static void *own_memory(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    CHECK(watch.object_count < THREADS + 1);
    uintptr_t start = (uintptr_t)at;
    uintptr_t end = start + (size + SYSTEM_PAGE - 1) / SYSTEM_PAGE * SYSTEM_PAGE;
    watch.objects[watch.object_count++] = (struct region){ start, end };
    return at;
}

static void begin(void)
{
    uint32_t count;
    const struct command_family *const *families = command_families(&count);
    watch.object_count = 0;
    host = own_memory(sizeof *host);
    clock_init_system(&host->clock);
    host->log.write = write_nothing;
    atomic_init(&host->log.level, LOG_NOTHING);
    struct engine_options options = {
        .clock = &host->clock,
        .log = &host->log,
        .families = families,
        .family_count = count,
        .databases = 16,
        .seed = check_seed(),
    };
    CHECK(engine_init(&host->engine, &options));
    atomic_store(&host->engine.settings.slowlog_log_slower_than, -1); /* Steps take their time. */
    for (unsigned i = 0; i < THREADS; i++) {
        guests[i] = own_memory(sizeof *guests[i]);
        guests[i]->number = i;
        CHECK(executor_init(&guests[i]->executor, &host->engine));
        session_init(&guests[i]->session, &host->engine, NULL, clock_wall_ms(&host->clock));
    }
    memset(watch.lines, 0, sizeof watch.lines);
}

static void end(void)
{
    for (unsigned i = 0; i < THREADS; i++) {
        struct guest *guest = guests[i];
        executor_enter(&guest->executor);
        session_release(&guest->session, &host->engine, &guest->executor);
        executor_leave(&guest->executor);
        executor_release(&guest->executor);
        reply_release(&guest->reply);
        munmap(guest, sizeof *guest);
    }
    engine_release(&host->engine);
    munmap(host, sizeof *host);
}

/* Keys of one thread's own stripes, those of even or of odd number; or of any. */
static void choose_keys(struct guest *guest, bool own)
{
    unsigned next = 0;
    for (unsigned i = 0; i < COMMANDS; next++) {
        int len = snprintf(guest->keys[i], sizeof guest->keys[i], "key:%012u", next);
        struct bytes key = { guest->keys[i], (size_t)len };
        uint64_t hash = keyspace_hash(host->engine.keyspace, 0, key);
        /* Deadlines of stripes lie side by side, eight in a line; GET and SET touch none. */
        if (!own || stripe_index(host->engine.keyspace, hash) % THREADS == guest->number) {
            guest->argv[i++][1] = key;
        }
    }
}

static void run_commands(struct guest *guest)
{
    for (unsigned i = 0; i < COMMANDS; i++) {
        reply_clear(&guest->reply);
        executor_call(&guest->executor, &guest->session, guest->argv[i], guest->argc,
                      &guest->reply);
        if (guest->counts) {
            atomic_fetch_add(&host->engine.next_session_id, 1);
        }
    }
}

static void make_commands(struct guest *guest, const char *name)
{
    bool sets = strcmp(name, "SET") == 0;
    guest->argc = sets ? 3 : 2;
    for (unsigned i = 0; i < COMMANDS; i++) {
        guest->argv[i][0] = bytes_of(name);
        guest->argv[i][2] = LIT("a value of thirty-two bytes, ...");
    }
}

/* The thread: its keys are there and everything is warm before the writes are noted. */
static void *load_keys(void *argument)
{
    struct guest *guest = argument;
    for (int round = 0; round < 2; round++) {
        make_commands(guest, "SET");
        run_commands(guest);
        make_commands(guest, "GET");
        run_commands(guest);
    }
    return NULL;
}

static void *run_watched(void *argument)
{
    struct guest *guest = argument;
    watch.thread = guest->number;
    find_regions();
    protect_all(PROT_READ);
    run_commands(guest);
    protect_all(PROT_READ | PROT_WRITE);
    return NULL;
}

static void run_on_thread(void *(*run)(void *), struct guest *guest)
{
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, run, guest), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

/* ---- what was written ------------------------------------------------------------------- */

static bool is_inside(uintptr_t line, const void *object, size_t size)
{
    uintptr_t address = line * CACHE_LINE;
    return address + CACHE_LINE > (uintptr_t)object && address < (uintptr_t)object + size;
}

struct found {
    unsigned shared;  /* lines that both threads have written */
    unsigned outside; /* of these, those that are not a stripe's, an entry's or a table's */
    uint32_t writes[THREADS];
};

static struct found run_both(const char *name, bool own_keys)
{
    struct found found = { 0 };
    const struct keyspace *ks = host->engine.keyspace;
    for (unsigned i = 0; i < THREADS; i++) {
        choose_keys(guests[i], own_keys);
        run_on_thread(load_keys, guests[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        make_commands(guests[i], name);
        run_on_thread(run_watched, guests[i]);
    }
    for (size_t i = 0; i < LINES; i++) {
        uintptr_t line = watch.lines[i].line;
        const uint32_t *writes = watch.lines[i].writes;
        found.writes[0] += writes[0];
        found.writes[1] += writes[1];
        if (line == 0 || writes[0] == 0 || writes[1] == 0) {
            continue;
        }
        found.shared++;
        bool outside = is_inside(line, &host->engine, sizeof host->engine) ||
                       is_inside(line, ks, sizeof *ks) ||
                       is_inside(line, guests[0], sizeof *guests[0]) ||
                       is_inside(line, guests[1], sizeof *guests[1]);
        found.outside += outside;
        if (own_keys || outside) {
            printf("both write %p, %u and %u times\n", (void *)(line * CACHE_LINE), writes[0],
                   writes[1]);
        }
    }
    return found;
}

static void reads_of_different_keys_share_no_written_line(void)
{
    begin();
    struct found found = run_both("GET", true);
    CHECK(found.writes[0] >= COMMANDS && found.writes[1] >= COMMANDS);
    CHECK_INT(found.shared, 0);
    end();
}

static void writes_of_different_keys_share_no_written_line(void)
{
    begin();
    struct found found = run_both("SET", true);
    CHECK(found.writes[0] >= COMMANDS && found.writes[1] >= COMMANDS);
    CHECK_INT(found.shared, 0);
    end();
}

static void of_the_same_keys_only_stripes_and_entries_are_shared(void)
{
    begin();
    struct found found = run_both("GET", false);
    CHECK(found.shared >= COMMANDS / 2); /* each key's stripe: the lock */
    CHECK_INT(found.outside, 0);
    end();
    begin();
    found = run_both("SET", false);
    CHECK(found.shared >= COMMANDS / 2);
    CHECK_INT(found.outside, 0);
    end();
}

static void a_counter_of_all_threads_would_be_found(void)
{
    begin();
    guests[0]->counts = guests[1]->counts = true;
    struct found found = run_both("GET", true);
    CHECK_INT(found.shared, 1);
    CHECK_INT(found.outside, 1);
    end();
}

int main(void)
{
    catch_signals();
    RUN_TEST(reads_of_different_keys_share_no_written_line);
    RUN_TEST(writes_of_different_keys_share_no_written_line);
    RUN_TEST(of_the_same_keys_only_stripes_and_entries_are_shared);
    RUN_TEST(a_counter_of_all_threads_would_be_found);
    return check_done();
}

#endif
