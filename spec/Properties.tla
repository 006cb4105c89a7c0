----------------------------- MODULE Properties ------------------------------
(* What must hold of every reachable state (invariants), and of every step. *)
(* The temporal properties are in MC.tla and Liveness.tla, beside the       *)
(* fairness they need.                                                      *)
EXTENDS hakuban

(****************************************************************************)
(* Quiet: nothing is in flight, nothing is owed, and no end of a link is    *)
(* alone. A state may be quiet with links down.                             *)
(****************************************************************************)
Together(l) == link[l].downstream = "on" /\ link[l].upstream = "on"

\* Object o has settled at exchange n: it is not due, and no link that is leaving has left
\* anything of it.
IsSettled(n, o) ==
  LET N == node[n] IN
  /\ o \notin N.due
  /\ \A l \in N.leaving : o \notin ChannelsOn(n, N, l) /\ Covering[o] \cap AskedOn(n, N, l) = {}

Quiet ==
  /\ \A n \in Exchanges : node[n].due = {} /\ node[n].leaving = {}
  /\ \A l \in Links :
       /\ link[l].up = <<>> /\ link[l].down = <<>>
       /\ link[l].downstream = link[l].upstream
       /\ Together(l) =>
            /\ ~OwesContracts(l)
            /\ \A o \in Objects : OwedOutlets(node[DownstreamEnd[l]], o) = {} /\ ~OwesDown(node[UpstreamEnd[l]], l, o)

(****************************************************************************)
(* Where an election leads: from exchange n, step by step, to the exchange  *)
(* and the local contract that is elected there. <<>> when it leads nowhere. *)
(****************************************************************************)
UpLinks(n) == {l \in Links : DownstreamEnd[l] = n /\ Together(l)}

RECURSIVE LeadsTo(_, _, _)
LeadsTo(n, o, steps) ==
  LET e == node[n].elected[o] IN
  IF steps = 0 THEN <<>>
  ELSE IF e \in ContractsAt[n] THEN <<n, e>>
  ELSE IF e \in DownstreamLinks[n] THEN LeadsTo(DownstreamEnd[e], o, steps - 1)
  ELSE IF e = Upstream /\ UpLinks(n) # {} THEN
         LeadsTo(UpstreamEnd[CHOOSE l \in UpLinks(n) : TRUE], o, steps - 1)
  ELSE <<>>

Exposer(n, o) == LeadsTo(n, o, 2 * Cardinality(Exchanges))

(****************************************************************************)
(* Safety                                                                   *)
(****************************************************************************)
Asks     == [ob : BOOLEAN, ex : BOOLEAN, cap : Nat]
Flags    == [v : {0} \cup States, now : BOOLEAN]
Offers   == [s : {"none", "offered", "taken", "revoked"}, v : {0} \cup States, now : BOOLEAN]
Numbers  == Nat \ {0}
Opened   == [ch : Numbers, v : {0} \cup States, now : BOOLEAN]
Channels == Opened \cup {NoChannel}
Ends     == {"off", "on", "gone"}

StateMessages == [k : {"state"}, o : Objects, ch : Numbers, v : States, now : BOOLEAN]
UpMessages    == [k : {"contracts"}, told : [Things -> Asks]] \cup StateMessages
DownMessages  == [k : {"open"}, o : Objects, t : {"sink", "stream"}, ch : Numbers]
                 \cup [k : {"close"}, o : Objects, ch : Numbers] \cup StateMessages

TypeOK ==
  /\ \A n \in Exchanges : node[n] \in
       [contracts : [ContractsAt[n] -> {Closed, 0} \cup Capacities],
        olderContracts : [ContractsAt[n] -> SUBSET ContractsAt[n]],
        offers    : [ContractsAt[n] -> [Objects -> Offers]],
        elected   : [Objects -> {Nobody, Upstream} \cup ContractsAt[n] \cup DownstreamLinks[n]],
        share     : [DownstreamLinks[n] -> [Objects -> 0..6]],
        held      : [Objects -> Flags],
        contract  : [DownstreamLinks[n] -> [Things -> Asks]],
        olderExposures : [DownstreamLinks[n] -> [Things -> SUBSET (DownstreamLinks[n] \X Things)]],
        sink      : [DownstreamLinks[n] -> [Objects -> Channels]],
        revoked   : [DownstreamLinks[n] -> [Objects -> Nat]],
        stream    : [DownstreamLinks[n] -> [Objects -> Channels]],
        told      : [Things -> Asks],
        sources   : [Objects -> SUBSET Opened],
        outlets   : [Objects -> SUBSET Opened],
        rights    : [DownstreamLinks[n] -> Rights \cup {Everything}],
        due       : SUBSET Objects,
        leaving   : SUBSET Links]
  /\ link \in [Links -> [downstream : Ends, upstream : Ends,
                          up : Seq(UpMessages), down : Seq(DownMessages)]]

\* In one exchange at most one sink for an object is open, to a contract or to a link.
\* One that is revoked is another: it does nothing until it is released or closed.
OneSink ==
  \A n \in Exchanges, o \in Objects :
    LET N == node[n]
        contracts == {k \in ContractsAt[n] : Kind[k] = "expose" /\ N.offers[k][o].s \in {"offered", "taken"}}
        links     == {l \in DownstreamLinks[n] : N.sink[l][o].ch # 0} IN
    /\ Cardinality(contracts) + Cardinality(links) <= 1
    /\ \A l \in links : N.revoked[l][o] = 0

\* Who is elected is there: upstream while it streams, a link while it exposes.
ElectedIsThere ==
  \A n \in Exchanges, o \in Objects :
    LET N == node[n]
        e == N.elected[o] IN
    IsSettled(n, o) =>
    /\ e = Upstream <=> N.sources[o] # {}
    /\ e \in DownstreamLinks[n] => \E d \in {o} \cup TagsOf[o] : N.contract[e][d].ex

\* A flag is now only while an open channel, or a taken sink, said so of the
\* state held. (Written without HasNowSource, on purpose.)
NowIsSound ==
  \A n \in Exchanges, o \in Objects :
    LET N == node[n]
        says(x) == x.now /\ Version[x.v] = Version[N.held[o].v] IN
    N.held[o].now /\ IsSettled(n, o) =>
      /\ N.held[o].v # 0
      /\ \/ \E x \in N.sources[o] : says(x)
         \/ \E l \in DownstreamLinks[n] : N.sink[l][o].ch # 0 /\ link[l].upstream = "on" /\ says(N.sink[l][o])
         \/ \E k \in ContractsAt[n] : Kind[k] = "expose" /\ N.offers[k][o].s = "taken" /\ says(N.offers[k][o])

\* When all is quiet, now means what the elected exposer published last.
QuietNow ==
  Quiet => \A n \in Exchanges, o \in Objects :
    node[n].held[o].now =>
      LET x == Exposer(n, o) IN
      /\ x # <<>>
      /\ LET f == node[x[1]].offers[x[2]][o] IN
         f.s = "taken" /\ f.now /\ Version[f.v] = Version[node[n].held[o].v]

\* When all is quiet, a state has gone everywhere that it should: nobody who
\* should get it holds an older one.
QuietConverged ==
  Quiet => \A l \in Links, o \in Objects :
    LET U == node[UpstreamEnd[l]]
        D == node[DownstreamEnd[l]] IN
    /\ U.sink[l][o].ch # 0   => Version[U.held[o].v] >= Version[D.held[o].v]
    /\ U.stream[l][o].ch # 0 => Version[D.held[o].v] >= Version[U.held[o].v]

\* A channel is open downstream while it is open upstream, but for what
\* is under way: an Open that has not arrived, a Close that has not.
InFlight(l, kind, o, ch) ==
  \E i \in DOMAIN link[l].down :
    LET m == link[l].down[i] IN m.k = kind /\ m.o = o /\ m.ch = ch

ChannelsPair ==
  \A l \in Links, o \in Objects : Together(l) =>
    LET U == node[UpstreamEnd[l]]
        D == node[DownstreamEnd[l]]
        pairs(channel, S) ==
          /\ channel.ch # 0 => (\E x \in S : x.ch = channel.ch) \/ InFlight(l, "open", o, channel.ch)
          /\ \A x \in S : x.ch = channel.ch \/ InFlight(l, "close", o, x.ch)
          /\ \A x \in S : ~InFlight(l, "open", o, x.ch)
    IN pairs(U.stream[l][o], D.sources[o])
       /\ IF U.revoked[l][o] = 0 THEN pairs(U.sink[l][o], D.outlets[o])
          ELSE pairs([NoChannel EXCEPT !.ch = U.revoked[l][o]], D.outlets[o])

\* Over a link that keeps order an exchange has one channel with upstream at a time for an object.
OneChannel ==
  \A n \in Exchanges, o \in Objects :
    (\A l \in Links : DownstreamEnd[l] = n => l \in Ordered) =>
      Cardinality(node[n].outlets[o]) + Cardinality(node[n].sources[o]) <= 1

\* What was last sent is what was last received, when nothing is under way.
SentIsReceived ==
  \A l \in Links, o \in Objects : Together(l) =>
    LET U == node[UpstreamEnd[l]]
        D == node[DownstreamEnd[l]] IN
    /\ link[l].down = <<>> => \A x \in D.sources[o] : x.ch = U.stream[l][o].ch => x = U.stream[l][o]
    /\ link[l].up = <<>> => \A x \in D.outlets[o] : x.ch = U.sink[l][o].ch => x = U.sink[l][o]

\* A link carries only what its end asked for (as far as it was told), once it
\* has pulled.
CarriesWhatIsAsked ==
  \A l \in Links, o \in Objects :
    LET N == node[UpstreamEnd[l]] IN
    link[l].upstream = "on" /\ o \notin N.due /\ ~OwesDown(N, l, o) =>
      /\ N.sink[l][o].ch # 0   => Exposes(N, l, o) /\ N.elected[o] = l
      /\ N.stream[l][o].ch # 0 => Observes(N, l, o) /\ N.elected[o] \notin {l, Nobody}

\* What the upstream end of a link has noted is what the downstream end told it last, but
\* for what is under way.
ViewIsTold ==
  \A l \in Links : Together(l) =>
    LET q    == link[l].up
        told == {i \in DOMAIN q : q[i].k = "contracts"}
        last == IF told = {} THEN node[UpstreamEnd[l]].contract[l] ELSE q[Max(told)].told IN
    last = node[DownstreamEnd[l]].told

\* The capacity counted for a link is the sum of what is open downstream of it.
RECURSIVE Tree(_, _)
Tree(n, steps) ==
  IF steps = 0 THEN {n}
  ELSE {n} \cup UNION {Tree(DownstreamEnd[l], steps - 1) : l \in {l \in DownstreamLinks[n] : Together(l)}}

CapacityConserved ==
  Quiet => \A l \in Links, d \in Things : Together(l) =>
    LET exposers == {k \in Contracts : /\ At[k] \in Tree(DownstreamEnd[l], Cardinality(Exchanges))
                                       /\ Kind[k] = "expose" /\ On[k] = d
                                       /\ IsOpen(node[At[k]], k)} IN
    node[UpstreamEnd[l]].contract[l][d].cap = Sum([k \in exposers |-> node[At[k]].contracts[k]], exposers)

\* A link's load is what it was given with the objects that it is elected for, and
\* never more than its limit.
LoadConserved ==
  /\ \A n \in Exchanges, o \in Objects : \A l \in DownstreamLinks[n] :
       IF Loads /\ node[n].elected[o] = l THEN node[n].share[l][o] > 0 ELSE node[n].share[l][o] = 0
  /\ Loads => \A l \in Links : Load(node[UpstreamEnd[l]], l) <= Limit[l]

\* An object that nobody needs is forgotten when all is quiet.
Forgotten ==
  Quiet => \A n \in Exchanges, o \in Objects :
    ~DataNeeded(n, node[n], o) => node[n].held[o] = NoState

\* An end that is not in a session holds nothing of one.
NoGhost ==
  /\ \A l \in Links :
       /\ link[l].upstream # "on" /\ l \notin node[UpstreamEnd[l]].leaving =>
            /\ node[UpstreamEnd[l]].rights[l] = Everything
            /\ \A o \in Objects : node[UpstreamEnd[l]].elected[o] # l
            /\ node[UpstreamEnd[l]].contract[l] = AskedNothing
            /\ \A o \in Objects : /\ node[UpstreamEnd[l]].sink[l][o] = NoChannel
                                  /\ node[UpstreamEnd[l]].revoked[l][o] = 0
                                  /\ node[UpstreamEnd[l]].stream[l][o] = NoChannel
       /\ link[l].upstream = "gone" => link[l].up = <<>>
       /\ link[l].downstream = "gone" => link[l].down = <<>>
       /\ link[l].upstream = "off" /\ link[l].downstream = "off" => link[l] = Idle
  /\ \A n \in Exchanges :
       (\A l \in Links : DownstreamEnd[l] = n => link[l].downstream # "on") =>
         /\ node[n].told = AskedNothing
         /\ (\A l \in node[n].leaving : DownstreamEnd[l] # n) => \A o \in Objects : ~HasUpstreamChannel(node[n], o)

\* Nobody is elected who may not expose the object, nor with more capacity than counts;
\* and once it has pulled, a link has no stream of what it may not see. (Said of rights
\* alone, without the rules by which contracts count.)
MaySee(l, o)    == Covering[o] \cap node[UpstreamEnd[l]].rights[l].ob # {}
MayExpose(l, o) == Covering[o] \cap node[UpstreamEnd[l]].rights[l].ex # {}

Allowed ==
  \A l \in Links, o \in Objects :
    LET N == node[UpstreamEnd[l]] IN
    IsSettled(UpstreamEnd[l], o) =>
      /\ N.elected[o] = l => MayExpose(l, o)
      /\ N.rights[l].cap # 0 => Capacity(N, l, o) <= N.rights[l].cap
      /\ link[l].upstream = "on" /\ N.stream[l][o].ch # 0 /\ ~OwesDown(N, l, o) => MaySee(l, o)

\* When loads are counted and all is quiet, an exchange that observes an object has an
\* exposer, unless every link that exposes is full: what it carries, and the object, are
\* more than its limit. Should there be room again later, the timer elects, and nothing
\* else does: then it may (Rebalance), of which Liveness.tla has RoomIsTaken.
QuietFull ==
  Quiet /\ Loads => \A n \in Exchanges, o \in Objects :
    LET N == node[n] IN
    N.elected[o] = Nobody /\ (\E k \in ContractsAt[n] : Kind[k] = "observe" /\ On[k] = o /\ N.contracts[k] # Closed)
      => \A l \in DownstreamLinks[n] :
           LET capacity == Sum([d \in {o} \cup TagsOf[o] |-> N.contract[l][d].cap], {o} \cup TagsOf[o])
               load     == Sum(N.share[l], Objects) IN
           \/ capacity = 0
           \/ load + 6 \div capacity > Limit[l]
           \/ ENABLED Rebalance(n, o)

\* When all is quiet, what is open leads, over any number of links, to a contract
\* that is elected: a sink leads downstream, a stream upstream.
QuietChain ==
  Quiet => \A l \in Links, o \in Objects :
    LET U == node[UpstreamEnd[l]] IN
    /\ U.sink[l][o].ch # 0   => Exposer(DownstreamEnd[l], o) # <<>>
    /\ U.stream[l][o].ch # 0 => Exposer(UpstreamEnd[l], o) # <<>>

(****************************************************************************)
(* Steps                                                                    *)
(****************************************************************************)
\* What a reader has read never goes back.
ReadsNeverGoBack ==
  [][\A k \in Contracts, o \in Objects :
       LET f == node[At[k]].offers[k][o]
           g == node'[At[k]].offers[k][o] IN
       Kind[k] = "observe" /\ f.s = "taken" /\ g.s = "taken" => Version[g.v] >= Version[f.v]]_vars

\* A state comes from an open channel or a taken sink that carries it now, never
\* from one that was closed.
ComesFromOpen ==
  [][\A n \in Exchanges, o \in Objects :
       node'[n].held[o].v \notin {0, node[n].held[o].v} =>
         LET N == node'[n]
             v == N.held[o].v IN
         \/ \E x \in N.sources[o] : x.v = v
         \/ \E l \in DownstreamLinks[n] : N.sink[l][o].ch # 0 /\ N.sink[l][o].v = v
         \/ \E k \in ContractsAt[n] : Kind[k] = "expose" /\ N.offers[k][o].s = "taken"
                                      /\ N.offers[k][o].v = v]_vars

\* No state goes over a link that may not see it, and none is taken from one that may not
\* expose it.
OnlyAllowed ==
  [][\A l \in Links :
       LET before == Len(link[l].down) IN
       /\ \A i \in DOMAIN link'[l].down :
            i > before /\ link'[l].down[i].k = "state" => MaySee(l, link'[l].down[i].o)
       /\ \A o \in Objects :
            LET sink == node'[UpstreamEnd[l]].sink[l][o] IN
            sink.ch # 0 /\ sink.v \notin {0, node[UpstreamEnd[l]].sink[l][o].v} => MayExpose(l, o)]_vars

\* Nobody who is leaving is elected anew.
NoneLeavingElected ==
  [][\A n \in Exchanges, o \in Objects :
       node'[n].elected[o] # node[n].elected[o] => node'[n].elected[o] \notin node'[n].leaving]_vars

\* Whatever budgets allow is a step of the specification.
IsNext == [][Next]_vars

(****************************************************************************)
(* Situations where reading the reference raised a doubt (findings.md has   *)
(* the table). must_fail.txt has TLC reach each of them: the properties     *)
(* above have looked at it then.                                            *)
(****************************************************************************)

\* A stream is about to open that downstream no longer observes.
NeverOpenCrossesUnobserve ==
  ~ \E l \in Links : \E i \in DOMAIN link[l].down :
      LET m == link[l].down[i] IN
      m.k = "open" /\ m.t = "stream" /\ \A d \in Covering[m.o] : ~node[DownstreamEnd[l]].told[d].ob

\* An object has moved from link m to link l, whose downstream end has withdrawn meanwhile.
NeverMoveCrossesUnexpose ==
  ~ \E l, m \in Links, o \in Objects :
      /\ node[UpstreamEnd[l]].elected[o] = l /\ node[UpstreamEnd[m]].revoked[m][o] # 0
      /\ UpstreamEnd[l] = UpstreamEnd[m] /\ Exposes(node[UpstreamEnd[m]], m, o)
      /\ link[l].downstream = "on" /\ \A d \in Covering[o] : ~node[DownstreamEnd[l]].told[d].ex

\* A link has gone before its election has arrived.
NeverDropsInFlight ==
  ~ \E l \in Links, o \in Objects :
      /\ link[l].downstream = "gone" /\ node[UpstreamEnd[l]].elected[o] = l
      /\ node[UpstreamEnd[l]].sink[l][o].ch # 0 /\ node[UpstreamEnd[l]].sink[l][o].v = 0

\* Upstream streams what a local contract, which has not given back its sink, exposed until then.
NeverUpstreamTakesOver ==
  ~ \E k \in Contracts, o \in Objects :
      Kind[k] = "expose" /\ node[At[k]].offers[k][o].s = "revoked" /\ node[At[k]].elected[o] = Upstream

\* Who is elected observes the object too, and so does another.
NeverElectedObserves ==
  ~ \E l, m \in Links, o \in Objects :
      LET N == node[UpstreamEnd[l]] IN
      l # m /\ UpstreamEnd[l] = UpstreamEnd[m] /\ N.elected[o] = l /\ Observes(N, l, o) /\ N.stream[m][o].ch # 0

\* A link is elected through one of an object's two tags.
NeverOneTagOfTwo ==
  ~ \E l \in Links, o \in Objects :
      LET exposed == {d \in Covering[o] : node[UpstreamEnd[l]].contract[l][d].ex} IN
      /\ node[UpstreamEnd[l]].sink[l][o].ch # 0
      /\ exposed # TagsOf[o] /\ exposed # {} /\ Cardinality(TagsOf[o]) = 2

\* A link's capacity is another than that which it was elected with.
NeverRemembered ==
  ~ \E l \in Links, o \in Objects :
      LET N == node[UpstreamEnd[l]] IN
      N.elected[o] = l /\ Capacity(N, l, o) > 0 /\ N.share[l][o] # Share(Capacity(N, l, o))

\* A link of capacity 0 is elected.
NeverZeroElected ==
  ~ \E l \in Links, o \in Objects :
      node[UpstreamEnd[l]].elected[o] = l /\ Exposes(node[UpstreamEnd[l]], l, o) /\ Capacity(node[UpstreamEnd[l]], l, o) = 0
==============================================================================
