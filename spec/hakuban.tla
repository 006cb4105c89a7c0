------------------------------- MODULE hakuban -------------------------------
(****************************************************************************)
(* How Hakuban elects an exposer for an object and carries its newest state *)
(* to everybody who observes it, over links that break.                     *)
(*                                                                          *)
(*            exchange "r"          local contracts: observe / expose       *)
(*          .--------------.        elected: who produces the states        *)
(*          |  node["r"]   |        held: the newest state, and its flag    *)
(*          '--------------'                                                *)
(*            ^          |                                                  *)
(*   link.up  | contracts| link.down                                        *)
(*            | states   | open/close of sinks and streams, states          *)
(*            |          v                                                  *)
(*          .--------------.        sink at r   = "you are elected"         *)
(*          |  node["a"]   |               = outlet at a: states go up      *)
(*          '--------------'        stream at r = "here is what you observe" *)
(*                                         = source at a: states go down    *)
(*                                                                          *)
(* Everything an exchange knows is one record, node[n]. Everything between  *)
(* the two ends of a link is one record, link[l]. An action takes one input *)
(* of the core (docs/spec-map.md has the table): it changes the node where  *)
(* the input arrives, and the link it reads from or writes to.              *)
(*                                                                          *)
(* Nothing owed to a link is queued in a node. What is owed is the          *)
(* difference between what should be so and what the other end was last     *)
(* told; PullUp and PullDown work it out. So a change that was undone       *)
(* before the pull is never sent, and a slow link gets the newest state     *)
(* only.                                                                    *)
(*                                                                          *)
(* Nothing here is bounded: budgets live in MC.tla and the configurations.  *)
(* The language is that of TLC 2.15 to 2.18.                                *)
(****************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Exchanges,    \* names of exchanges
  Links,        \* names of link slots; a slot holds one session at a time
  UpstreamEnd,  \* UpstreamEnd[l], DownstreamEnd[l]: the exchanges at the two ends
  DownstreamEnd, \*  of a slot. Two slots with the same ends: the downstream end
                \*   comes back while the upstream end has not noticed that
                \*   the old session died.
  Objects,      \* names of objects
  Tags,         \* names of tags
  TagsOf,       \* TagsOf[o]: the tags of an object
  Contracts,    \* names of local contracts
  At,           \* At[k]: the exchange where it may be opened
  Kind,         \* Kind[k]: "observe" or "expose"
  On,           \* On[k]: an object or a tag
  Capacities,   \* capacities that a contract may be given
  States,       \* the states that can be published: 1..n
  Version,      \* Version[s], for s in 0..n: 0 is "no state". Two states of
                \*   one version have different data.
  Loads,        \* TRUE: loads are counted. FALSE: any eligible link may be chosen
  Limited,      \* without loads: TRUE lets a load limit refuse all links
  Limit,        \* Limit[l]: the load limit of a link, when loads are counted
  Threshold,    \* of the rebalance, when loads are counted
  Ordered,      \* links that keep the order over all channels. The others have
                \*   a reference peer: order is kept within a channel only
  Chunked,      \* TRUE: a control message may hold a part of what changed
  Rights,       \* rights that the peer of a downstream link may be given; {}: all
                \*   may do everything
  Sliced        \* TRUE: long work is done in slices, and others step in between

VARIABLES
  node,         \* node[n]: what exchange n knows
  link          \* link[l]: what is between the two ends of link slot l

vars == <<node, link>>

Things == Objects \cup Tags

\* The thing itself and the tags it carries: what a contract that covers object
\* o can be on.
Covering == [o \in Objects |-> {o} \cup TagsOf[o]]
Covered  == [d \in Things |-> {o \in Objects : d \in Covering[o]}]

DownstreamLinks == [n \in Exchanges |-> {l \in Links : UpstreamEnd[l] = n}]
ContractsAt     == [n \in Exchanges |-> {k \in Contracts : At[k] = n}]
ObserversOf == [n \in Exchanges |-> [o \in Objects |->
                 {k \in ContractsAt[n] : Kind[k] = "observe" /\ On[k] \in Covering[o]}]]
ObjectContractsOf == [n \in Exchanges |-> [o \in Objects |->
                 {k \in ContractsAt[n] : On[k] = o}]]
ObjectExposersOf == [n \in Exchanges |-> [o \in Objects |->
                 {k \in ContractsAt[n] : Kind[k] = "expose" /\ On[k] = o}]]
TagExposersOf == [n \in Exchanges |-> [o \in Objects |->
                 {k \in ContractsAt[n] : Kind[k] = "expose" /\ On[k] \in TagsOf[o]}]]

\* Local expose contracts between which an election may have to choose.
Rivals == [k \in Contracts |-> {j \in Contracts \ {k} :
            /\ At[j] = At[k] /\ Kind[j] = "expose" /\ Kind[k] = "expose"
            /\ \E o \in Objects : {On[j], On[k]} \subseteq {o} \/ {On[j], On[k]} \subseteq TagsOf[o]}]

RECURSIVE Sum(_, _)
Sum(f, S) == IF S = {} THEN 0
             ELSE LET x == CHOOSE x \in S : TRUE IN f[x] + Sum(f, S \ {x})

Max(S) == IF S = {} THEN 0 ELSE CHOOSE x \in S : \A y \in S : y <= x

(****************************************************************************)
(* The record of an exchange, N                                             *)
(*                                                                          *)
(*   N.contracts[k]     the capacity of an open local contract (0 for an    *)
(*                      observer), or Closed                                *)
(*   N.olderContracts[k]  the rivals of an open contract that were open     *)
(*                      before it                                           *)
(*   N.offers[k][o]     the sink or stream that contract k has for object o: *)
(*                      none, offered, taken, or revoked (taken, then ended, *)
(*                      and not yet released), with the state last published *)
(*                      on it or read from it                               *)
(*   N.elected[o]       Nobody, Upstream, a local contract or a downstream  *)
(*                      link                                                *)
(*   N.share[l][o]      the load that link l was given with this election   *)
(*   N.held[o]          the newest state, and whether it is current now     *)
(* of each downstream link:                                                 *)
(*   N.contract[l][d]   what downstream asked for: observes, exposes, with  *)
(*                      what capacity                                       *)
(*   N.rights[l]        on which things its contracts count (ob, ex), and   *)
(*                      the greatest capacity that does (0: any)            *)
(*   N.olderExposures[l][d]  what other links expose since before l exposed *)
(*                      d: pairs of a link and a thing. Only with loads     *)
(*   N.sink[l][o]       the sink open to downstream: its channel number     *)
(*                      (0: none) and what was last received on it          *)
(*   N.revoked[l][o]    the channel number of a sink whose election has     *)
(*                      ended and that the next pull will close (0: none).  *)
(*                      States that still come in on it are dropped         *)
(*   N.stream[l][o]     the stream open to downstream, and what was last    *)
(*                      sent on it                                          *)
(* of the link to upstream, if one is attached:                             *)
(*   N.told[d]          what upstream was told                              *)
(*   N.sources[o]       streams that upstream has open to us, and what was  *)
(*                      last received on each                               *)
(*   N.outlets[o]       sinks that upstream has open to us, and what was    *)
(*                      last sent on each                                   *)
(* of work that is done in slices (Sliced):                                 *)
(*   N.due              objects whose contracts or channels have changed,   *)
(*                      and that have not settled since                     *)
(*   N.leaving          links whose session is over at this end, and of     *)
(*                      which something is left here                        *)
(*                                                                          *)
(* A flag has no time here: it is now or it is not. Channel numbers are     *)
(* those in use, counted anew when one is forgotten (Renumbered).           *)
(****************************************************************************)
Closed   == -1
Nobody   == "nobody"
Upstream == "upstream"

NoState   == [v |-> 0, now |-> FALSE]
NoChannel == [ch |-> 0, v |-> 0, now |-> FALSE]
NoOffer   == [s |-> "none", v |-> 0, now |-> FALSE]
Nothing   == [ob |-> FALSE, ex |-> FALSE, cap |-> 0]

AskedNothing == [d \in Things |-> Nothing]
Everything   == [ob |-> Things, ex |-> Things, cap |-> 0]
NoneOlder    == [d \in Things |-> {}]

EmptyNode(n) ==
  [contracts |-> [k \in ContractsAt[n] |-> Closed],
   olderContracts |-> [k \in ContractsAt[n] |-> {}],
   offers    |-> [k \in ContractsAt[n] |-> [o \in Objects |-> NoOffer]],
   elected   |-> [o \in Objects |-> Nobody],
   share     |-> [l \in DownstreamLinks[n] |-> [o \in Objects |-> 0]],
   held      |-> [o \in Objects |-> NoState],
   contract  |-> [l \in DownstreamLinks[n] |-> AskedNothing],
   rights    |-> [l \in DownstreamLinks[n] |-> Everything],
   olderExposures |-> [l \in DownstreamLinks[n] |-> NoneOlder],
   sink      |-> [l \in DownstreamLinks[n] |-> [o \in Objects |-> NoChannel]],
   revoked   |-> [l \in DownstreamLinks[n] |-> [o \in Objects |-> 0]],
   stream    |-> [l \in DownstreamLinks[n] |-> [o \in Objects |-> NoChannel]],
   told      |-> AskedNothing,
   sources   |-> [o \in Objects |-> {}],
   outlets   |-> [o \in Objects |-> {}],
   due       |-> {},
   leaving   |-> {}]

(****************************************************************************)
(* The record of a link, L                                                  *)
(*                                                                          *)
(*   L.downstream,      the two ends of the session: "off": not (yet) in    *)
(*   L.upstream         it; "on"; "gone": it has left, and the other end    *)
(*                      has not noticed                                     *)
(*   L.up, L.down       messages in flight to the upstream end and to the   *)
(*                      downstream end, oldest first                        *)
(*                                                                          *)
(* Messages. Each is one event of the wire, but for Open and Initialize,    *)
(* which are one message here:                                              *)
(*   contracts  up      one control message: what downstream asks for,      *)
(*                      after it. The wire has the difference.              *)
(*   open       down    a sink or a stream for object o, on channel ch      *)
(*   close      down                                                        *)
(*   state      both    on channel ch: the state v and its flag. When v is  *)
(*                      what the channel carried last, it is SetSynchronized *)
(****************************************************************************)
Idle == [downstream |-> "off", upstream |-> "off", up |-> <<>>, down |-> <<>>]

ContractsMessage(told)   == [k |-> "contracts", told |-> told]
OpenMessage(o, t, ch)    == [k |-> "open", o |-> o, t |-> t, ch |-> ch]
CloseMessage(o, ch)      == [k |-> "close", o |-> o, ch |-> ch]
StateMessage(o, ch, h)   == [k |-> "state", o |-> o, ch |-> ch, v |-> h.v, now |-> h.now]

\* What is sent to an end that has left goes nowhere.
SendUp(L, messages)   == IF L.upstream = "gone" THEN L ELSE [L EXCEPT !.up = @ \o messages]
SendDown(L, messages) == IF L.downstream = "gone" THEN L ELSE [L EXCEPT !.down = @ \o messages]

ChannelOf(m) == IF m.k = "contracts" THEN <<"", 0>> ELSE <<m.o, m.ch>>

\* Positions in a queue from which a message may be delivered next.
Deliverable(l, q) ==
  IF l \in Ordered THEN (IF q = <<>> THEN {} ELSE {1})
  ELSE {i \in DOMAIN q : \A j \in 1..(i - 1) : ChannelOf(q[j]) # ChannelOf(q[i])}

Without(q, i) == SubSeq(q, 1, i - 1) \o SubSeq(q, i + 1, Len(q))

(****************************************************************************)
(* Rules computed in every action, never actions by themselves              *)
(****************************************************************************)
IsOpen(N, k) == N.contracts[k] # Closed

\* Of what a link asks for, that which its rights allow counts.
ObservesThing(N, l, d) == N.contract[l][d].ob /\ d \in N.rights[l].ob
ExposesThing(N, l, d)  == N.contract[l][d].ex /\ d \in N.rights[l].ex
Bounded(N, l, cap)     == IF N.rights[l].cap = 0 \/ cap < N.rights[l].cap THEN cap ELSE N.rights[l].cap
CapacityOf(N, l, d)    == IF d \in N.rights[l].ex THEN Bounded(N, l, N.contract[l][d].cap) ELSE 0

Observes(N, l, o) == \E d \in Covering[o] : ObservesThing(N, l, d)
Exposes(N, l, o)  == \E d \in Covering[o] : ExposesThing(N, l, d)
Capacity(N, l, o) == Bounded(N, l, Sum([d \in Covering[o] |-> CapacityOf(N, l, d)], Covering[o]))

HasUpstreamChannel(N, o) == N.sources[o] # {} \/ N.outlets[o] # {}

ShouldExist(n, N, o) ==
  \/ HasUpstreamChannel(N, o)
  \/ \E k \in ObjectContractsOf[n][o] : IsOpen(N, k)
  \/ \E l \in DownstreamLinks[n] : ObservesThing(N, l, o) \/ ExposesThing(N, l, o)

DataNeeded(n, N, o) ==
  /\ ShouldExist(n, N, o)
  /\ \/ HasUpstreamChannel(N, o)
     \/ \E k \in ObserversOf[n][o] : IsOpen(N, k)
     \/ \E l \in DownstreamLinks[n] : Observes(N, l, o) /\ ~Exposes(N, l, o)
     \/ \E l, m \in DownstreamLinks[n] : l # m /\ Observes(N, l, o) /\ Observes(N, m, o)

\* Loads are whole numbers here: a share of capacity 1 is 6, of 2 is 3, of 3 is 2.
Share(capacity) == IF Loads THEN 6 \div capacity ELSE 0
Load(N, l)      == Sum(N.share[l], Objects)
LoadWith(N, l, o) == Load(N, l) + Share(Capacity(N, l, o))

\* Whoever is leaving is not elected, and does not stay elected.
Serves(N, l, o) == Exposes(N, l, o) /\ l \notin N.leaving

Eligible(n, N, o) ==
  {l \in DownstreamLinks[n] :
     /\ Serves(N, l, o)
     /\ Capacity(N, l, o) > 0
     /\ Loads => LoadWith(N, l, o) <= Limit[l]}

LeastLoaded(N, L, o) == {l \in L : \A m \in L : LoadWith(N, l, o) <= LoadWith(N, m, o)}

\* Of equals, whoever came first. The age of a link's exposure of an object is that
\* of the oldest contract by which it exposes the object now.
IsOlder(N, l, m, o) ==
  \E d \in Covering[o] :
    /\ ExposesThing(N, l, d)
    /\ \A e \in Covering[o] : ExposesThing(N, m, e) => <<l, d>> \in N.olderExposures[m][e]

OldestLinks(N, L, o)  == {l \in L : ~ \E m \in L : IsOlder(N, m, l, o)}
OldestContracts(N, K) == {k \in K : N.olderContracts[k] \cap K = {}}

Greatest(N, K) == {k \in K : \A j \in K : N.contracts[j] <= N.contracts[k]}

\* Without loads any eligible link may be the least loaded one, and none has an equal.
Best(n, N, o) ==
  LET E == Eligible(n, N, o) IN
  IF Loads THEN OldestLinks(N, LeastLoaded(N, E, o), o) ELSE E

\* Whom an election may choose. Only contracts that were open at the start tie.
Choices(n, N, o) ==
  LET now     == N.elected[o]
      objects == {k \in ObjectExposersOf[n][o] : IsOpen(N, k)}
      tags    == {k \in TagExposersOf[n][o] : IsOpen(N, k)}
      best    == Best(n, N, o)
  IN IF ~DataNeeded(n, N, o)                                  THEN {Nobody}
     ELSE IF N.sources[o] # {}                                THEN {Upstream}
     ELSE IF now \in ContractsAt[n] /\ now \in objects \cup tags THEN {now}
     ELSE IF objects # {}                                     THEN OldestContracts(N, Greatest(N, objects))
     ELSE IF tags # {}                                        THEN OldestContracts(N, Greatest(N, tags))
     ELSE IF now \in DownstreamLinks[n] /\ Serves(N, now, o) THEN {now}
     ELSE IF best = {}                                        THEN {Nobody}
     ELSE IF Limited                                          THEN best \cup {Nobody}
     ELSE best

\* The share is remembered as it was at the election: a change of capacity leaves it.
ShareAfter(N, l, o, e) ==
  IF e # l THEN 0
  ELSE IF N.elected[o] = l THEN N.share[l][o]
  ELSE Share(Capacity(N, l, o))

\* With the election of e the sink of link l ends.
EndsSink(N, l, o, e) == l # e /\ N.sink[l][o].ch # 0

\* A sink whose election ends is revoked at once, and never comes back to life:
\* should its link be elected again before the pull, a new one is opened.
Elected(n, N, o, e) ==
  [N EXCEPT
    !.elected[o] = e,
    !.share   = [l \in DownstreamLinks[n] |-> [@[l] EXCEPT ![o] = ShareAfter(N, l, o, e)]],
    !.revoked = [l \in DownstreamLinks[n] |->
                  IF EndsSink(N, l, o, e) THEN [@[l] EXCEPT ![o] = N.sink[l][o].ch] ELSE @[l]],
    !.sink    = [l \in DownstreamLinks[n] |->
                  IF EndsSink(N, l, o, e) THEN [@[l] EXCEPT ![o] = NoChannel] ELSE @[l]]]

\* A local contract should have a sink or a stream.
WantsOffer(n, N, k, o) ==
  IF Kind[k] = "expose" THEN N.elected[o] = k
  ELSE IsOpen(N, k) /\ ShouldExist(n, N, o)

Offer(n, N, k, o) ==
  LET f == N.offers[k][o] IN
  IF On[k] \notin Covering[o] \/ ~IsOpen(N, k) THEN NoOffer
  ELSE IF o \in N.due THEN f
  ELSE IF WantsOffer(n, N, k, o) THEN (IF f.s = "none" THEN [NoOffer EXCEPT !.s = "offered"] ELSE f)
  ELSE IF f.s = "offered" THEN NoOffer
  ELSE IF f.s = "taken" THEN [NoOffer EXCEPT !.s = "revoked"]
  ELSE f

\* A source is now when it last said so, of the state held.
IsNow(N, o, x) == x.now /\ Version[x.v] >= Version[N.held[o].v]

LocalSource(N, k, o) == N.elected[o] = k /\ N.offers[k][o].s = "taken"

HasNowSource(n, N, o) ==
  \/ \E x \in N.sources[o] : IsNow(N, o, x)
  \/ \E l \in DownstreamLinks[n] : N.sink[l][o].ch # 0 /\ IsNow(N, o, N.sink[l][o])
  \/ \E k \in ObjectExposersOf[n][o] \cup TagExposersOf[n][o] :
        LocalSource(N, k, o) /\ IsNow(N, o, N.offers[k][o])

\* The state held is erased once nobody needs it, it is not current, and no
\* stream is open on which it went: should the stream be wanted again before the
\* pull that closes it, its other end would believe for ever what it was told
\* last.
MayErase(n, N, o) ==
  /\ ~DataNeeded(n, N, o)
  /\ \A l \in DownstreamLinks[n] : N.stream[l][o].ch = 0

Held(n, N, o) ==
  LET h   == N.held[o]
      now == h.v # 0 /\ HasNowSource(n, N, o)
  IN IF ~now /\ MayErase(n, N, o) THEN NoState ELSE [h EXCEPT !.now = now]

\* Offers first: a flag depends on which local sink is taken. Of an object that is
\* due, only the offers of closed contracts change.
Settled(n, N) ==
  LET M == [N EXCEPT !.offers = [k \in ContractsAt[n] |-> [o \in Objects |-> Offer(n, N, k, o)]]]
  IN [M EXCEPT !.held = [o \in Objects |-> IF o \in N.due THEN @[o] ELSE Held(n, M, o)]]

\* Elections for the objects O, one after the other, in any order: each may
\* change the loads that the next one sees.
RECURSIVE ElectedFrom(_, _, _)
ElectedFrom(n, N, O) ==
  IF O = {} THEN {N}
  ELSE UNION {UNION {ElectedFrom(n, Elected(n, N, o, e), O \ {o}) :
                       e \in Choices(n, N, o)} : o \in O}

\* Things of which exchange n has noted that link l asks for them, and objects with a
\* channel on it.
AskedOn(n, N, l) ==
  IF DownstreamEnd[l] = n THEN {} ELSE {d \in Things : N.contract[l][d] # Nothing}
ChannelsOn(n, N, l) ==
  {o \in Objects : IF DownstreamEnd[l] = n THEN HasUpstreamChannel(N, o)
                   ELSE N.sink[l][o].ch # 0 \/ N.revoked[l][o] # 0 \/ N.stream[l][o].ch # 0}

\* A link leaves while something of it is left: what it asked for, a channel, or an
\* election, of an object that is due.
HasLeft(n, N, l) ==
  AskedOn(n, N, l) # {} \/ ChannelsOn(n, N, l) # {} \/ \E o \in Objects : N.elected[o] = l
WithoutThoseWhoLeft(n, N) ==
  LET left == {l \in N.leaving : ~HasLeft(n, N, l)} IN
  IF left = {} THEN N
  ELSE [N EXCEPT !.leaving = @ \ left,
                 !.rights  = [l \in DOMAIN @ |-> IF l \in left THEN Everything ELSE @[l]]]

\* What node N of exchange n can become when contracts, links or upstream's
\* channels of the objects O changed.
AfterElections(n, N, O) ==
  {WithoutThoseWhoLeft(n, Settled(n, M)) : M \in ElectedFrom(n, [N EXCEPT !.due = @ \ O], O)}

\* The same, where O may be many: when work is sliced, any of them may be left due.
AfterSlice(n, N, O) ==
  IF ~Sliced THEN AfterElections(n, N, O)
  ELSE UNION {AfterElections(n, [N EXCEPT !.due = @ \cup O], P) : P \in SUBSET O}

\* A state is taken when its version is greater. An equal one counts for its
\* flag only, and a lower one for nothing: Held sees to that.
Absorbed(N, o, v) ==
  IF Version[v] > Version[N.held[o].v] THEN [N EXCEPT !.held[o].v = v] ELSE N

WantsSink(N, l, o)   == N.elected[o] = l
WantsStream(N, l, o) ==
  /\ Observes(N, l, o)
  /\ N.elected[o] \notin {l, Nobody}

\* What an exchange asks of upstream.
Summary(n, N) ==
  [d \in Things |->
    LET local    == {k \in ContractsAt[n] : On[k] = d /\ IsOpen(N, k)}
        exposers == {k \in local : Kind[k] = "expose"}
        links    == DownstreamLinks[n]
    IN [ob  |-> \/ \E k \in local : Kind[k] = "observe"
                \/ \E l \in links : ObservesThing(N, l, d),
        ex  |-> exposers # {} \/ \E l \in links : ExposesThing(N, l, d),
        cap |-> Sum(N.contracts, exposers)
                + Sum([l \in links |-> CapacityOf(N, l, d)], links)]]

\* Channel numbers in use on link l for object o.
InUse(nodes, L, l, o) ==
  LET U == nodes[UpstreamEnd[l]]
      D == nodes[DownstreamEnd[l]]
      of(q) == {q[i].ch : i \in {j \in DOMAIN q : q[j].k # "contracts" /\ q[j].o = o}}
      down  == IF L.downstream = "on" \/ l \in D.leaving THEN {x.ch : x \in D.outlets[o] \cup D.sources[o]} ELSE {}
  IN ({U.sink[l][o].ch, U.revoked[l][o], U.stream[l][o].ch} \cup down \cup of(L.up) \cup of(L.down)) \ {0}

\* The same channels, numbered 1, 2, 3... in the order in which they were opened:
\* a closed channel that nobody mentions any more must leave no trace, or the
\* state graph would have no end.
Renumbered(nodes, L, l) ==
  LET u    == UpstreamEnd[l]
      d    == DownstreamEnd[l]
      used == [o \in Objects |-> InUse(nodes, L, l, o)]
      new(o, ch) == Cardinality({x \in used[o] : x <= ch})
      set(o, S)  == {[x EXCEPT !.ch = new(o, @)] : x \in S}
      of(q) == [i \in DOMAIN q |-> IF q[i].k = "contracts" THEN q[i]
                                   ELSE [q[i] EXCEPT !.ch = new(q[i].o, @)]]
      first == [nodes EXCEPT
                 ![u].sink[l]   = [o \in Objects |-> [@[o] EXCEPT !.ch = new(o, @)]],
                 ![u].revoked[l] = [o \in Objects |-> new(o, @[o])],
                 ![u].stream[l] = [o \in Objects |-> [@[o] EXCEPT !.ch = new(o, @)]]]
      both  == IF L.downstream # "on" /\ l \notin nodes[d].leaving THEN first
               ELSE [first EXCEPT ![d].sources = [o \in Objects |-> set(o, @[o])],
                                  ![d].outlets = [o \in Objects |-> set(o, @[o])]]
  IN IF \A o \in Objects : used[o] = 1..Cardinality(used[o]) THEN <<nodes, L>>
     ELSE <<both, [L EXCEPT !.up = of(@), !.down = of(@)]>>

\* The step: exchange n becomes N, link l becomes L.
Becomes(n, N, l, L) ==
  LET r == Renumbered([node EXCEPT ![n] = N], L, l)
  IN node' = r[1] /\ link' = [link EXCEPT ![l] = r[2]]

\* The same, where no channel can have been forgotten.
BecomesAsIs(n, N, l, L) == node' = [node EXCEPT ![n] = N] /\ link' = [link EXCEPT ![l] = L]

\* The step: exchange n becomes N, and no link takes part.
BecomesAlone(n, N) == node' = [node EXCEPT ![n] = N] /\ UNCHANGED link

(****************************************************************************)
(* Local contracts                                                          *)
(*                                                                          *)
(* Opening and closing elects; a change of capacity elects nobody. A closed *)
(* contract's offers are forgotten: what is done with them changes nothing. *)
(****************************************************************************)
WithContract(N, k, capacity) ==
  [N EXCEPT !.contracts[k] = capacity,
            !.olderContracts[k] = {j \in Rivals[k] : IsOpen(N, j)}]

WithoutContract(N, k) ==
  [N EXCEPT !.contracts[k] = Closed,
            !.olderContracts = [j \in DOMAIN @ |-> IF j = k THEN {} ELSE @[j] \ {k}]]

\* A contract on a tag may touch many objects.
AfterContract(n, N, k) ==
  IF On[k] \in Tags THEN AfterSlice(n, N, Covered[On[k]]) ELSE AfterElections(n, N, {On[k]})

Open(k, capacity) ==
  LET n == At[k]
      N == WithContract(node[n], k, capacity) IN
  /\ ~IsOpen(node[n], k)
  /\ \A o \in Objects : node[n].elected[o] # k \* of an object that is due
  /\ capacity \in (IF Kind[k] = "observe" THEN {0} ELSE Capacities)
  /\ \E M \in AfterContract(n, N, k) : BecomesAlone(n, M)

Close(k) ==
  LET n == At[k]
      N == WithoutContract(node[n], k) IN
  /\ IsOpen(node[n], k)
  /\ \E M \in AfterContract(n, N, k) : BecomesAlone(n, M)

SetCapacity(k, capacity) ==
  LET n == At[k] IN
  /\ Kind[k] = "expose"
  /\ IsOpen(node[n], k)
  /\ node[n].contracts[k] # capacity
  /\ BecomesAlone(n, [node[n] EXCEPT !.contracts[k] = capacity])

(****************************************************************************)
(* Offers                                                                   *)
(*                                                                          *)
(* An elected expose contract is offered a sink, an observe contract a      *)
(* stream. Whoever holds one gives it back in its own time: a revoked sink  *)
(* that is not released keeps the next offer of this contract away, and     *)
(* does nothing else.                                                       *)
(****************************************************************************)
Take(k, o) ==
  LET n == At[k] IN
  /\ node[n].offers[k][o].s = "offered"
  /\ BecomesAlone(n, [node[n] EXCEPT !.offers[k][o].s = "taken"])

Release(k, o) ==
  LET n == At[k]
      N == [node[n] EXCEPT !.offers[k][o] = NoOffer] IN
  /\ node[n].offers[k][o].s \in {"taken", "revoked"}
  /\ \E M \in AfterElections(n, N, {o}) : BecomesAlone(n, M)

\* A state that is older than the one held, or of its version with other data, is
\* refused: nothing happens. The one held may be published again, for its flag.
Publish(k, o, v, now) ==
  LET n == At[k]
      N == [node[n] EXCEPT !.offers[k][o].v = v, !.offers[k][o].now = now] IN
  /\ Kind[k] = "expose"
  /\ node[n].offers[k][o].s = "taken"
  /\ o \notin node[n].due
  /\ v = node[n].held[o].v \/ Version[v] > Version[node[n].held[o].v]
  /\ BecomesAlone(n, Settled(n, Absorbed(N, o, v)))

Read(k, o) ==
  LET n == At[k]
      h == node[n].held[o] IN
  /\ Kind[k] = "observe"
  /\ node[n].offers[k][o].s = "taken"
  /\ BecomesAlone(n, [node[n] EXCEPT !.offers[k][o].v = h.v, !.offers[k][o].now = h.now])

(****************************************************************************)
(* Sessions                                                                 *)
(*                                                                          *)
(* A session is made and lost at both ends, each end by itself. An exchange *)
(* has one link to upstream at a time; its upstream may still hold a dead   *)
(* session of it, while it has come back in another slot. When one end      *)
(* leaves, what was under way to it is lost; what it had sent may still     *)
(* arrive, until the other end notices.                                     *)
(****************************************************************************)
Attach(l, end) ==
  /\ link[l][end] = "off"
  /\ link[l].downstream # "gone" /\ link[l].upstream # "gone"
  /\ l \notin node[UpstreamEnd[l]].leaving
  /\ l \notin node[DownstreamEnd[l]].leaving
  /\ end = "downstream" => \A m \in Links : DownstreamEnd[m] = DownstreamEnd[l] =>
       link[m].downstream # "on" /\ m \notin node[DownstreamEnd[l]].leaving
  /\ link' = [link EXCEPT ![l][end] = "on"]
  /\ UNCHANGED node

Parted(L, end) ==
  LET other == IF end = "downstream" THEN "upstream" ELSE "downstream"
      queue == IF end = "downstream" THEN "down" ELSE "up" IN
  IF L[other] # "on" THEN Idle
  ELSE [L EXCEPT ![end] = "gone", ![queue] = <<>>]

\* N when downstream link l asks for something else, or gets other rights. Things that
\* it begins to expose at one time are of one age.
Noted(N, l, told, rights) ==
  LET M == [N EXCEPT !.contract[l] = told, !.rights[l] = rights]
      begins(d) == ExposesThing(M, l, d) /\ ~ExposesThing(N, l, d)
      others(d) == {x \in (DOMAIN N.contract \ {l}) \X Things :
                     Loads /\ Covered[x[2]] \cap Covered[d] # {} /\ ExposesThing(N, x[1], x[2])}
      older(m, d, X) ==
        IF m # l                    THEN {x \in X : x[1] = l => ExposesThing(M, l, x[2])}
        ELSE IF begins(d)           THEN others(d)
        ELSE IF ExposesThing(M, l, d) THEN X
        ELSE {}
  IN [M EXCEPT !.olderExposures = [m \in DOMAIN @ |-> [d \in Things |-> older(m, d, @[m][d])]]]

Asked(N, l, told) == Noted(N, l, told, N.rights[l])

\* What is left of N when its link to upstream has ended, when what downstream link l
\* asked of the things D is forgotten, and l's, or upstream's, channels of the objects O.
WithoutUpstream(N, O) ==
  [N EXCEPT !.told    = AskedNothing,
            !.sources = [o \in Objects |-> IF o \in O THEN {} ELSE @[o]],
            !.outlets = [o \in Objects |-> IF o \in O THEN {} ELSE @[o]]]

WithoutDownstream(N, l, D, O) ==
  [Asked(N, l, [d \in Things |-> IF d \in D THEN Nothing ELSE N.contract[l][d]]) EXCEPT
            !.sink[l]     = [o \in Objects |-> IF o \in O THEN NoChannel ELSE @[o]],
            !.revoked[l]  = [o \in Objects |-> IF o \in O THEN 0 ELSE @[o]],
            !.stream[l]   = [o \in Objects |-> IF o \in O THEN NoChannel ELSE @[o]]]

\* What N can become when something, or all, of link l, which has ended, is forgotten.
Forgetting(n, N, l, D, O) ==
  LET M == IF DownstreamEnd[l] = n THEN WithoutUpstream(N, O) ELSE WithoutDownstream(N, l, D, O)
      touched == O \cup {o \in Objects : Covering[o] \cap D # {}}
  IN AfterSlice(n, [M EXCEPT !.leaving = @ \cup {l}], touched)

Slices(S) == IF Sliced THEN SUBSET S ELSE {S}

Detach(l, end) ==
  LET n == IF end = "downstream" THEN DownstreamEnd[l] ELSE UpstreamEnd[l]
      N == node[n] IN
  /\ link[l][end] = "on"
  /\ \E D \in Slices(AskedOn(n, N, l)), O \in Slices(ChannelsOn(n, N, l)) :
       \E X \in Forgetting(n, N, l, D, O) : Becomes(n, X, l, Parted(link[l], end))

\* The next slice of what a link has left.
Withdraw(n, l) ==
  LET N == node[n] IN
  /\ l \in N.leaving
  /\ \E D \in SUBSET AskedOn(n, N, l), O \in SUBSET ChannelsOn(n, N, l) :
       /\ D \cup O # {}
       /\ \E X \in Forgetting(n, N, l, D, O) : Becomes(n, X, l, link[l])

\* An object that is due settles.
Continue(n, o) ==
  /\ o \in node[n].due
  /\ \E M \in AfterElections(n, node[n], {o}) : BecomesAlone(n, M)

(****************************************************************************)
(* Rights                                                                   *)
(*                                                                          *)
(* The peer of a downstream link may do everything at first. Contracts that *)
(* its rights do not allow are noted and do not count, so rights that come  *)
(* back find them.                                                          *)
(****************************************************************************)
SetRights(l, rights) ==
  LET n == UpstreamEnd[l]
      N == node[n]
      M == Noted(N, l, N.contract[l], rights) IN
  /\ link[l].upstream = "on"
  /\ rights # N.rights[l]
  /\ \E X \in AfterSlice(n, M, {o \in Objects : Covering[o] \cap AskedOn(n, N, l) # {}}) : BecomesAlone(n, X)

(****************************************************************************)
(* Pulls                                                                    *)
(*                                                                          *)
(* A link that has room pulls. Upwards: one control message with what has   *)
(* changed in what is asked for (all of it, or when a message would be too  *)
(* big, a portion); when nothing has, the state of one object on its        *)
(* outlets. Downwards, for one object, in this order: close what is not     *)
(* wanted, open what is, then the state on the stream.                      *)
(****************************************************************************)
Differs(h, x) == h.v # 0 /\ (h.v # x.v \/ h.now # x.now)

OwesContracts(l) == node[DownstreamEnd[l]].told # Summary(DownstreamEnd[l], node[DownstreamEnd[l]])
OwedOutlets(N, o) == {x \in N.outlets[o] : Differs(N.held[o], x)}

Portions(D) == IF Chunked \/ Sliced THEN SUBSET D \ {{}} ELSE {D} \ {{}}

PullUpContracts(l) ==
  LET n       == DownstreamEnd[l]
      N       == node[n]
      summary == Summary(n, N)
      changed == {d \in Things : N.told[d] # summary[d]} IN
  \E D \in Portions(changed) :
    LET told == [d \in Things |-> IF d \in D THEN summary[d] ELSE N.told[d]]
    IN BecomesAsIs(n, [N EXCEPT !.told = told], l, SendUp(link[l], <<ContractsMessage(told)>>))

\* Upstream has two outlets of one object open where an Open has overtaken a Close.
PullUpState(l, o) ==
  LET n == DownstreamEnd[l]
      N == node[n]
      h == N.held[o] IN
  /\ ~(~Sliced /\ N.told # Summary(n, N))
  /\ \E x \in OwedOutlets(N, o) :
       BecomesAsIs(n, [N EXCEPT !.outlets[o] = (@ \ {x}) \cup {[ch |-> x.ch, v |-> h.v, now |-> h.now]}],
                   l, SendUp(link[l], <<StateMessage(o, x.ch, h)>>))

PullUp(l) ==
  /\ link[l].downstream = "on"
  /\ \/ PullUpContracts(l)
     \/ \E o \in Objects : PullUpState(l, o)

ClosesSink(N, l, o)   == N.revoked[l][o] # 0
ClosesStream(N, l, o) == N.stream[l][o].ch # 0 /\ ~WantsStream(N, l, o)
OpensSink(N, l, o)    == WantsSink(N, l, o) /\ N.sink[l][o].ch = 0
OpensStream(N, l, o)  == N.stream[l][o].ch = 0 /\ WantsStream(N, l, o)

\* (One expression: TLC would count a step once for each alternative that holds.)
OwesDown(N, l, o) ==
  ~ /\ ~ClosesSink(N, l, o) /\ ~ClosesStream(N, l, o)
    /\ ~OpensSink(N, l, o) /\ ~OpensStream(N, l, o)
    /\ N.stream[l][o].ch = 0 \/ ~Differs(N.held[o], N.stream[l][o])

PullDown(l, o) ==
  LET n     == UpstreamEnd[l]
      N     == node[n]
      next  == Max(InUse(node, link[l], l, o)) + 1
      after == IF OpensSink(N, l, o) THEN next + 1 ELSE next
      sink  == IF OpensSink(N, l, o) THEN [NoChannel EXCEPT !.ch = next] ELSE N.sink[l][o]
      stream == IF OpensStream(N, l, o) THEN [NoChannel EXCEPT !.ch = after]
                ELSE IF ClosesStream(N, l, o) THEN NoChannel ELSE N.stream[l][o]
      \* With its last stream gone a state may be erased.
      M     == Settled(n, [N EXCEPT !.sink[l][o] = sink, !.revoked[l][o] = 0,
                                    !.stream[l][o] = stream])
      h     == M.held[o]
      sends == stream.ch # 0 /\ Differs(h, stream)
      one(condition, message) == IF condition THEN <<message>> ELSE <<>>
  IN
  /\ link[l].upstream = "on"
  /\ o \notin N.due
  /\ OwesDown(N, l, o)
  /\ Becomes(n, IF sends THEN [M EXCEPT !.stream[l][o].v = h.v, !.stream[l][o].now = h.now] ELSE M,
             l, SendDown(link[l],
                  one(ClosesSink(N, l, o), CloseMessage(o, N.revoked[l][o]))
               \o one(ClosesStream(N, l, o), CloseMessage(o, N.stream[l][o].ch))
               \o one(OpensSink(N, l, o), OpenMessage(o, "sink", next))
               \o one(OpensStream(N, l, o), OpenMessage(o, "stream", after))
               \o one(sends, StateMessage(o, stream.ch, h))))

(****************************************************************************)
(* Deliveries                                                               *)
(****************************************************************************)
\* Objects that elect when downstream link l asks for what a message says: those where
\* somebody came or went, or where nobody is elected and a capacity changed.
Touched(N, l, told) ==
  LET before  == N.contract[l]
      turned  == {d \in Things : told[d].ob # before[d].ob \/ told[d].ex # before[d].ex}
      resized == {d \in Things : told[d].cap # before[d].cap}
  IN {o \in Objects : \/ Covering[o] \cap turned # {}
                      \/ Covering[o] \cap resized # {} /\ N.elected[o] = Nobody}

\* One control message: all that it says is noted, then objects elect. A long message that
\* is taken in slices is as many messages: PullUp may have cut it anywhere (Portions).
ReceiveContracts(l) ==
  LET n == UpstreamEnd[l]
      N == node[n] IN
  /\ link[l].upstream = "on"
  /\ \E i \in Deliverable(l, link[l].up) :
       LET m == link[l].up[i]
           L == [link[l] EXCEPT !.up = Without(@, i)]
       IN /\ m.k = "contracts"
          /\ \E M \in AfterSlice(n, Asked(N, l, m.told), Touched(N, l, m.told)) :
               BecomesAsIs(n, M, l, L)

ReceiveOpen(l) ==
  LET n == DownstreamEnd[l]
      N == node[n] IN
  /\ link[l].downstream = "on"
  /\ \E i \in Deliverable(l, link[l].down) :
       LET m == link[l].down[i]
           L == [link[l] EXCEPT !.down = Without(@, i)]
       IN /\ m.k = "open"
          /\ LET x == [NoChannel EXCEPT !.ch = m.ch]
                 M == IF m.t = "sink" THEN [N EXCEPT !.outlets[m.o] = @ \cup {x}]
                      ELSE [N EXCEPT !.sources[m.o] = @ \cup {x}]
             IN \E X \in AfterElections(n, M, {m.o}) : BecomesAsIs(n, X, l, L)

ReceiveClose(l) ==
  LET n == DownstreamEnd[l]
      N == node[n] IN
  /\ link[l].downstream = "on"
  /\ \E i \in Deliverable(l, link[l].down) :
       LET m == link[l].down[i]
           L == [link[l] EXCEPT !.down = Without(@, i)]
       IN /\ m.k = "close"
          /\ LET M == [N EXCEPT !.outlets[m.o] = {x \in @ : x.ch # m.ch},
                                !.sources[m.o] = {x \in @ : x.ch # m.ch}]
             IN \E X \in AfterElections(n, M, {m.o}) : Becomes(n, X, l, L)

\* A state on a sink that this end has revoked or closed is dropped.
TakenUp(n, N, l, m) ==
  IF m.ch # N.sink[l][m.o].ch THEN N
  ELSE LET M == [N EXCEPT !.sink[l][m.o].v = m.v, !.sink[l][m.o].now = m.now]
       IN Settled(n, Absorbed(M, m.o, m.v))

ReceiveStateUp(l) ==
  LET n == UpstreamEnd[l]
      N == node[n] IN
  /\ link[l].upstream = "on"
  /\ \E i \in Deliverable(l, link[l].up) :
       LET m == link[l].up[i]
           L == [link[l] EXCEPT !.up = Without(@, i)]
       IN /\ m.k = "state"
          /\ m.o \notin N.due
          /\ Becomes(n, TakenUp(n, N, l, m), l, L)

ReceiveStateDown(l) ==
  LET n == DownstreamEnd[l]
      N == node[n] IN
  /\ link[l].downstream = "on"
  /\ \E i \in Deliverable(l, link[l].down) :
       LET m == link[l].down[i]
           L == [link[l] EXCEPT !.down = Without(@, i)]
       IN /\ m.k = "state"
          /\ m.o \notin N.due
          /\ LET M == [N EXCEPT !.sources[m.o] =
                        {IF x.ch = m.ch THEN [ch |-> x.ch, v |-> m.v, now |-> m.now] ELSE x : x \in @}]
             IN Becomes(n, Settled(n, Absorbed(M, m.o, m.v)), l, L)

(****************************************************************************)
(* Rebalance: elects when nobody is elected; else moves from link to link   *)
(****************************************************************************)
Moves(n, N, o) ==
  LET a == N.elected[o] IN
  IF a = Nobody THEN Choices(n, N, o) \ {Nobody}
  ELSE IF a \notin DownstreamLinks[n] THEN {}
  ELSE {b \in Best(n, N, o) \ {a} : Loads => LoadWith(N, b, o) < Load(N, a) - Threshold}

Rebalance(n, o) ==
  /\ o \notin node[n].due
  /\ \E e \in Moves(n, node[n], o) :
       BecomesAlone(n, Settled(n, Elected(n, node[n], o, e)))

(****************************************************************************)
Init ==
  /\ node = [n \in Exchanges |-> EmptyNode(n)]
  /\ link = [l \in Links |-> Idle]

Next ==
  \/ \E k \in Contracts, c \in Capacities \cup {0} : Open(k, c)
  \/ \E k \in Contracts : Close(k)
  \/ \E k \in Contracts, c \in Capacities : SetCapacity(k, c)
  \/ \E k \in Contracts, o \in Objects : Take(k, o) \/ Release(k, o) \/ Read(k, o)
  \/ \E k \in Contracts, o \in Objects, v \in States, now \in BOOLEAN : Publish(k, o, v, now)
  \/ \E l \in Links, end \in {"downstream", "upstream"} : Attach(l, end) \/ Detach(l, end)
  \/ \E l \in Links, rights \in Rights : SetRights(l, rights)
  \/ \E n \in Exchanges, l \in Links : Withdraw(n, l)
  \/ \E n \in Exchanges, o \in Objects : Continue(n, o)
  \/ \E l \in Links : PullUp(l)
  \/ \E l \in Links, o \in Objects : PullDown(l, o)
  \/ \E l \in Links : ReceiveContracts(l) \/ ReceiveOpen(l) \/ ReceiveClose(l)
  \/ \E l \in Links : ReceiveStateUp(l) \/ ReceiveStateDown(l)
  \/ \E n \in Exchanges, o \in Objects : Rebalance(n, o)

Spec == Init /\ [][Next]_vars
==============================================================================
