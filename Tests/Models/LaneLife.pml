/*
 * The life of a lane: creation, exclusive roles, crash, take-over, restart; exhaustively, for Spin.
 *
 * PRODUCERS processes want to be the producer and CONSUMERS the consumer. Any of them may be killed between any two steps, some
 * CRASHES times in all, and starts again. The kernel drops a dead process's locks. One producer meets an object that
 * an older version left, and must replace it. Memory is sequentially consistent here; what weaker memory could do is
 * the matter of the Relacy models beside this file.
 *
 * Checked: never two producers or two consumers on one lane, nor a second lane under the same name; no record torn,
 * lost after its publication, or out of order; none doubled that was released; nobody waits for ever.
 *
 * Each MUTANT_... is a mistake that must be found.
 */
#define CAPACITY 2
#define RECORDS 3   /* that the producers publish in all */
#define OBJECTS 4
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef CONSUMERS
#define CONSUMERS 1
#endif
#define OLD 1       /* layout version of what was left */
#define NEW 2

typedef Object {
  bool is_linked;         /* fstat: st_nlink > 0 */
  byte header;            /* layout version, 0: not written yet */
  bool magic;
  byte producer_lock;     /* who holds it; 0: nobody */
  byte consumer_lock;
  byte stamp[CAPACITY];
  byte value[CAPACITY];
  byte published;
  byte released
};
Object object[OBJECTS];   /* object[0] is none */
byte name;                /* the object that the name stands for; 0: none */
byte objects;             /* ever created */
bool is_killed[PRODUCERS + CONSUMERS + 1];   /* by pid: SIGKILL is on its way */
byte doomed;
byte crashes;

/* What must be true, as nobody in the model knows it. */
byte truth[RECORDS];      /* value published at each position */
byte truth_end;           /* positions published */
byte delivered;           /* positions that a consumer has taken */
byte writers, readers;    /* processes in each role */

inline stop_holding() {
  d_step {
    if :: object[mine].producer_lock == _pid -> object[mine].producer_lock = 0 :: else fi;
    if :: object[mine].consumer_lock == _pid -> object[mine].consumer_lock = 0 :: else fi;
    if :: is_writer -> writers--; is_writer = false :: else fi;
    if :: is_reader -> readers--; is_reader = false :: else fi;
    mine = 0
  }
}

inline unlink_name() {
  atomic { if :: name != 0 -> object[name].is_linked = false; name = 0 :: else fi }
}

/* One publication: payload, then stamp. */
inline fill(position) {
  object[mine].value[(position) % CAPACITY] = 10 * incarnation + (position)
}
inline note(position) {
  assert(position >= truth_end - CAPACITY || truth_end < CAPACITY);
  truth[position] = 10 * incarnation + (position);
  if :: position + 1 > truth_end -> truth_end = position + 1 :: else fi
}
inline publish(position) {
  atomic { object[mine].stamp[(position) % CAPACITY] = (position) + 1; note(position) }
}
/* A run that its first stamp publishes: payload and stamp of the second slot in either order, nothing counts yet. */
inline stream(position) {
  if
  :: fill(position); object[mine].stamp[(position) % CAPACITY] = (position) + 1
  :: object[mine].stamp[(position) % CAPACITY] = (position) + 1; fill(position)
  fi
}
inline publish_run(position) {
  atomic {
    object[mine].stamp[(position) % CAPACITY] = (position) + 1;
    note(position);
    note(position + 1)
  }
}

byte incarnations;

proctype Producer() {
  byte mine, end, seen, incarnation, count;
  bool is_writer, is_reader;
start:
  {
    atomic { incarnations++; incarnation = incarnations; mine = 0 };
again:
    atomic {                                      /* shm_open(O_CREAT), one call */
      if
      :: name == 0 -> objects++; mine = objects; object[mine].is_linked = true; name = mine
      :: else -> mine = name
      fi
    };
#ifdef MUTANT_UNLINKS_WITHOUT_THE_LOCK
    if
    :: object[mine].producer_lock == 0 && object[mine].header == OLD -> unlink_name(); goto again
    :: else
    fi;
#endif
    atomic {                                      /* F_OFD_SETLK */
#ifndef MUTANT_TAKES_NO_LOCK
      if
      :: object[mine].producer_lock != 0 -> goto refused
      :: else -> object[mine].producer_lock = _pid
      fi
#else
      skip
#endif
    };
#ifndef MUTANT_KEEPS_AN_UNLINKED_OBJECT
    if                                            /* the name may have gone to another object meanwhile */
    :: !object[mine].is_linked -> stop_holding(); goto again
    :: else
    fi;
#endif
    if
    :: object[mine].header == OLD -> unlink_name(); stop_holding(); goto again
    :: else
    fi;
    atomic { is_writer = true; writers++; assert(writers == 1) };
    if
    :: !object[mine].magic ->
#ifdef MUTANT_STORES_MAGIC_FIRST
      object[mine].magic = true;
      object[mine].header = NEW
#else
      object[mine].header = NEW;
      object[mine].magic = true
#endif
    :: else
    fi;
    end = object[mine].published;
#ifndef MUTANT_TRUSTS_THE_PUBLISHED_CURSOR
    do
    :: end - object[mine].published < CAPACITY && object[mine].stamp[end % CAPACITY] == end + 1 -> end++
    :: else -> break
    od;
#endif
    assert(end == truth_end);
#ifndef MUTANT_LEAVES_THE_STAMPS_OF_A_BROKEN_RUN
    if
    :: object[mine].stamp[(end + 1) % CAPACITY] == end + 2 -> object[mine].stamp[(end + 1) % CAPACITY] = 0
    :: else
    fi;
#endif
    object[mine].published = end;
    seen = object[mine].released;
    do
    :: end == RECORDS -> break
    :: end < RECORDS ->
      if
      :: end - seen < CAPACITY
      :: else ->                                  /* once a lap at least: looks at the consumer's cursor again */
#ifndef MUTANT_LETS_THE_PUBLISHED_CURSOR_LAG_BY_A_LAP
        object[mine].published = end;
#endif
        atomic { end - object[mine].released < CAPACITY; seen = object[mine].released }
      fi;
      if
      :: count = 1
      :: end + 2 <= RECORDS && end + 2 - seen <= CAPACITY -> count = 2
      fi;
#ifdef MUTANT_STAMPS_BEFORE_THE_PAYLOAD
      publish(end);
      fill(end);
      end++;
#else
      if
      :: fill(end);
        if :: count == 2 -> fill(end + 1) :: else fi;
#ifdef MUTANT_PUBLISHES_A_RUN_BACKWARDS
        if :: count == 2 -> publish(end + 1) :: else fi;
        publish(end)
#else
        publish(end);
        if :: count == 2 -> publish(end + 1) :: else fi
#endif
      :: count == 2 ->
#ifdef MUTANT_STREAMS_BEHIND_THE_FIRST_STAMP
        fill(end);
        publish_run(end);
        stream(end + 1)
#else
        stream(end + 1);
        fill(end);
        publish_run(end)
#endif
      fi;
      end = end + count;
#endif
      if :: object[mine].published = end :: skip fi   /* late */
    od;
    object[mine].published = end;
    stop_holding();
    goto done
refused:
    mine = 0;
    goto done
  } unless {
    atomic { is_killed[_pid] -> is_killed[_pid] = false; stop_holding(); end = 0; seen = 0; count = 0; goto start }
  };
done:
  skip
}

proctype Consumer() {
  byte mine, next;
  bool is_writer, is_reader;
start:
  {
    mine = 0;
again:
    atomic { name != 0; mine = name };            /* "no such lane": asks again */
    if
    :: !object[mine].magic ->                     /* "not initialised" or a name that went: asks again */
      (object[mine].magic || !object[mine].is_linked || name == 0 || truth_end == RECORDS);
      if :: object[mine].magic || !object[mine].is_linked -> mine = 0; goto again :: else -> goto done fi
    :: else
    fi;
    if
    :: object[mine].header == OLD -> (!object[mine].is_linked); mine = 0; goto again
    :: else
    fi;
    assert(object[mine].header == NEW);
    atomic {
#ifndef MUTANT_SECOND_CONSUMER_IS_LET_IN
      if
      :: object[mine].consumer_lock != 0 -> mine = 0; goto done
      :: else -> object[mine].consumer_lock = _pid
      fi;
#endif
      is_reader = true;
      readers++;
      assert(readers == 1)
    };
    next = object[mine].released;
    do
    :: next == RECORDS -> break
    :: next < RECORDS ->
      object[mine].stamp[next % CAPACITY] == next + 1;
      atomic {
        assert(object[mine].value[next % CAPACITY] == truth[next]);   /* whole, and what was published */
        assert(next <= delivered);                                    /* no hole */
        if :: next == delivered -> delivered++ :: else fi;
        next++
      };
      if
#ifdef MUTANT_RELEASES_BEFORE_READING
      :: object[mine].released = next + 1
#endif
      :: object[mine].released = next
      :: next < RECORDS && next - object[mine].released < CAPACITY -> skip   /* late */
      fi
    od;
    object[mine].released = next;
    stop_holding();
    goto done
  } unless {
    atomic { is_killed[_pid] -> is_killed[_pid] = false; stop_holding(); next = 0; goto start }
  };
done:
  skip
}

init {
  d_step {
    objects = 1;
    object[1].is_linked = true;
    object[1].header = OLD;
    object[1].magic = true;
    name = 1
  };
  atomic {
    for (doomed : 1 .. PRODUCERS) { run Producer() }
    for (doomed : 1 .. CONSUMERS) { run Consumer() }
    doomed = 0
  };
  /* An `unless` is taken as soon as it can be, so the moment of death is chosen here. */
  do
  :: crashes < CRASHES ->
    atomic {
      crashes++;
      select (doomed : 1 .. PRODUCERS + CONSUMERS);
      is_killed[doomed] = true;
      doomed = 0
    }
  :: break
  od
}
