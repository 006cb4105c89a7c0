----------------------------- MODULE Properties ------------------------------
(* What must hold of every reachable state (invariants), and of every step. *)
(* The temporal properties are in MC.tla and Liveness.tla, beside the       *)
(* fairness they need.                                                      *)
EXTENDS hakuban

(****************************************************************************)
(* Quiet: nothing is in flight, nothing is owed, and no end of a link is    *)
(* alone. A state may be quiet with links down.                             *)
(****************************************************************************)
Together(l) == wire[l].below = "on" /\ wire[l].above = "on"

Quiet ==
  \A l \in Links :
    /\ wire[l].up = <<>> /\ wire[l].down = <<>>
    /\ wire[l].below = wire[l].above
    /\ Together(l) =>
         /\ ~OwesContracts(l)
         /\ \A o \in Objects : OwedOutlets(node[Child[l]], o) = {} /\ ~OwesDown(node[Parent[l]], l, o)

(****************************************************************************)
(* Where an election leads: from exchange n, step by step, to the exchange  *)
(* and the local contract that is elected there. <<>> when it leads nowhere. *)
(****************************************************************************)
UpLinks(n) == {l \in Links : Child[l] = n /\ Together(l)}

RECURSIVE LeadsTo(_, _, _)
LeadsTo(n, o, steps) ==
  LET e == node[n].elected[o] IN
  IF steps = 0 THEN <<>>
  ELSE IF e \in ContractsAt[n] THEN <<n, e>>
  ELSE IF e \in Below[n] THEN LeadsTo(Child[e], o, steps - 1)
  ELSE IF e = Upstream /\ UpLinks(n) # {} THEN
         LeadsTo(Parent[CHOOSE l \in UpLinks(n) : TRUE], o, steps - 1)
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
        offers    : [ContractsAt[n] -> [Objects -> Offers]],
        elected   : [Objects -> {Nobody, Upstream} \cup ContractsAt[n] \cup Below[n]],
        share     : [Below[n] -> [Objects -> 0..6]],
        held      : [Objects -> Flags],
        contract  : [Below[n] -> [Things -> Asks]],
        sink      : [Below[n] -> [Objects -> Channels]],
        revoked   : [Below[n] -> [Objects -> Nat]],
        stream    : [Below[n] -> [Objects -> Channels]],
        told      : [Things -> Asks],
        sources   : [Objects -> SUBSET Opened],
        outlets   : [Objects -> SUBSET Opened]]
  /\ wire \in [Links -> [below : Ends, above : Ends, up : Seq(UpMessages), down : Seq(DownMessages)]]

\* In one exchange at most one sink is open: the elected one. Others are revoked,
\* locally until they are released, on a link until a pull closes them.
OneSink ==
  \A n \in Exchanges, o \in Objects :
    LET N == node[n] IN
    /\ \A k \in ContractsAt[n] :
         Kind[k] = "expose" /\ N.offers[k][o].s \in {"offered", "taken"} => N.elected[o] = k
    /\ \A l \in Below[n] :
         /\ N.sink[l][o].ch # 0 => N.elected[o] = l
         /\ N.sink[l][o].ch = 0 \/ N.revoked[l][o] = 0

\* A contract that is due has an offer, one that is not has none that works.
OffersAreDue ==
  \A n \in Exchanges, o \in Objects : \A k \in ContractsAt[n] :
    On[k] \in Covering[o] =>
      LET f == node[n].offers[k][o].s IN
      IF Due(n, node[n], k, o) THEN f # "none" ELSE f \in {"none", "revoked"}

\* Somebody is elected only where the data is needed, and only one who can be.
ElectedCan ==
  \A n \in Exchanges, o \in Objects :
    LET N == node[n]
        e == N.elected[o] IN
    /\ e # Nobody => DataNeeded(n, N, o)
    /\ e = Upstream => N.sources[o] # {}
    /\ N.sources[o] # {} => e = Upstream
    /\ e \in ContractsAt[n] => IsOpen(N, e)
    /\ e \in Below[n] => Exposes(N, e, o)

\* A flag is now only while an open channel, or a taken sink, said so of the
\* state held. (Written without HasNowSource, on purpose.)
NowIsSound ==
  \A n \in Exchanges, o \in Objects :
    LET N == node[n]
        says(x) == x.now /\ Version[x.v] = Version[N.held[o].v] IN
    N.held[o].now =>
      /\ N.held[o].v # 0
      /\ \/ \E x \in N.sources[o] : says(x)
         \/ \E l \in Below[n] : N.sink[l][o].ch # 0 /\ wire[l].above = "on" /\ says(N.sink[l][o])
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
    LET p == node[Parent[l]].held[o].v
        c == node[Child[l]].held[o].v IN
    /\ node[Parent[l]].sink[l][o].ch # 0   => Version[p] >= Version[c]
    /\ node[Parent[l]].stream[l][o].ch # 0 => Version[c] >= Version[p]

\* A channel is open at the child while it is open at the parent, but for what
\* is under way: an Open that has not arrived, a Close that has not.
InFlight(l, kind, o, ch) ==
  \E i \in DOMAIN wire[l].down :
    LET m == wire[l].down[i] IN m.k = kind /\ m.o = o /\ m.ch = ch

ChannelsPair ==
  \A l \in Links, o \in Objects : Together(l) =>
    LET p == node[Parent[l]]
        c == node[Child[l]]
        pairs(channel, S) ==
          /\ channel.ch # 0 => (\E x \in S : x.ch = channel.ch) \/ InFlight(l, "open", o, channel.ch)
          /\ \A x \in S : x.ch = channel.ch \/ InFlight(l, "close", o, x.ch)
          /\ \A x \in S : ~InFlight(l, "open", o, x.ch)
    IN pairs(p.stream[l][o], c.sources[o])
       /\ IF p.revoked[l][o] = 0 THEN pairs(p.sink[l][o], c.outlets[o])
          ELSE pairs([NoChannel EXCEPT !.ch = p.revoked[l][o]], c.outlets[o])

\* Over a link that keeps order a child has one channel at a time for an object.
OneChannel ==
  \A n \in Exchanges, o \in Objects :
    (\A l \in Links : Child[l] = n => l \in Ordered) =>
      Cardinality(node[n].outlets[o]) + Cardinality(node[n].sources[o]) <= 1

\* What was last sent is what was last received, when nothing is under way.
SentIsReceived ==
  \A l \in Links, o \in Objects : Together(l) =>
    LET p == node[Parent[l]]
        c == node[Child[l]] IN
    /\ wire[l].down = <<>> => \A x \in c.sources[o] : x.ch = p.stream[l][o].ch => x = p.stream[l][o]
    /\ wire[l].up = <<>> => \A x \in c.outlets[o] : x.ch = p.sink[l][o].ch => x = p.sink[l][o]

\* A link carries only what its end asked for (as far as it was told), once it
\* has pulled.
CarriesWhatIsAsked ==
  \A l \in Links, o \in Objects :
    LET N == node[Parent[l]] IN
    wire[l].above = "on" /\ ~OwesDown(N, l, o) =>
      /\ N.sink[l][o].ch # 0   => Exposes(N, l, o) /\ N.elected[o] = l
      /\ N.stream[l][o].ch # 0 => Observes(N, l, o) /\ N.elected[o] \notin {l, Nobody}

\* A parent's view of what a child asks for is what the child last told it; and
\* when nothing is under way or owed, what the child asks for.
ViewIsTold ==
  \A l \in Links : Together(l) =>
    LET q    == wire[l].up
        told == {i \in DOMAIN q : q[i].k = "contracts"}
        last == IF told = {} THEN node[Parent[l]].contract[l] ELSE q[Max(told)].told IN
    last = node[Child[l]].told

\* The capacity that a parent counts for a child is the sum of what is open below it.
RECURSIVE Tree(_, _)
Tree(n, steps) ==
  IF steps = 0 THEN {n}
  ELSE {n} \cup UNION {Tree(Child[l], steps - 1) : l \in {l \in Below[n] : Together(l)}}

CapacityConserved ==
  Quiet => \A l \in Links, d \in Things : Together(l) =>
    LET exposers == {k \in Contracts : /\ At[k] \in Tree(Child[l], Cardinality(Exchanges))
                                       /\ Kind[k] = "expose" /\ On[k] = d
                                       /\ IsOpen(node[At[k]], k)} IN
    node[Parent[l]].contract[l][d].cap = Sum([k \in exposers |-> node[At[k]].contracts[k]], exposers)

\* A link's load is what it was given with the objects that it is elected for, and
\* never more than its limit.
LoadConserved ==
  /\ \A n \in Exchanges, o \in Objects : \A l \in Below[n] :
       IF Loads /\ node[n].elected[o] = l THEN node[n].share[l][o] > 0 ELSE node[n].share[l][o] = 0
  /\ Loads => \A l \in Links : Load(node[Parent[l]], l) <= Limit[l]

\* An object that nobody needs is forgotten when all is quiet.
Forgotten ==
  Quiet => \A n \in Exchanges, o \in Objects :
    ~DataNeeded(n, node[n], o) => node[n].held[o] = NoState

\* An end that is not in a session holds nothing of one.
NoGhost ==
  /\ \A l \in Links :
       /\ wire[l].above # "on" =>
            /\ node[Parent[l]].contract[l] = AskedNothing
            /\ \A o \in Objects : /\ node[Parent[l]].sink[l][o] = NoChannel
                                  /\ node[Parent[l]].revoked[l][o] = 0
                                  /\ node[Parent[l]].stream[l][o] = NoChannel
       /\ wire[l].above = "gone" => wire[l].up = <<>>
       /\ wire[l].below = "gone" => wire[l].down = <<>>
       /\ wire[l].above = "off" /\ wire[l].below = "off" => wire[l] = Idle
  /\ \A n \in Exchanges :
       (\A l \in Links : Child[l] = n => wire[l].below # "on") =>
         node[n].told = AskedNothing /\ \A o \in Objects : ~HasUpstreamChannel(node[n], o)

\* When all is quiet, and an exchange needs an object that somebody it is linked
\* with would expose, somebody is elected there. A load limit may refuse; should
\* there be room again later, the timer elects (Rebalance), and nothing else does.
QuietElected ==
  Quiet => \A n \in Exchanges, o \in Objects :
    LET N == node[n] IN
    DataNeeded(n, N, o) /\ N.elected[o] = Nobody =>
      /\ \A k \in ObjectExposersOf[n][o] \cup TagExposersOf[n][o] : ~IsOpen(N, k)
      /\ Eligible(n, N, o) = {} \/ (Loads /\ Moves(n, N, o) # {})

\* When all is quiet, what is open leads, over any number of links, to a contract
\* that is elected: a sink down from the child, a stream up from the parent.
QuietChain ==
  Quiet => \A l \in Links, o \in Objects :
    LET p == node[Parent[l]] IN
    /\ p.sink[l][o].ch # 0   => Exposer(Child[l], o) # <<>>
    /\ p.stream[l][o].ch # 0 => Exposer(Parent[l], o) # <<>>

QuietServed == QuietElected /\ QuietChain

(****************************************************************************)
(* Steps                                                                    *)
(****************************************************************************)
\* While somebody observes at an exchange, the state there never goes back.
NeverBack ==
  [][\A n \in Exchanges, o \in Objects :
       Version[node'[n].held[o].v] < Version[node[n].held[o].v] =>
         ~ \E k \in ObserversOf[n][o] :
             /\ IsOpen(node[n], k) /\ IsOpen(node'[n], k)
             /\ node[n].offers[k][o].s # "none" /\ node'[n].offers[k][o].s # "none"]_vars

\* Nor does what a reader has read.
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
         \/ \E l \in Below[n] : N.sink[l][o].ch # 0 /\ N.sink[l][o].v = v
         \/ \E k \in ContractsAt[n] : Kind[k] = "expose" /\ N.offers[k][o].s = "taken"
                                      /\ N.offers[k][o].v = v]_vars

\* Whatever budgets allow is a step of the specification.
IsNext == [][Next]_vars

(****************************************************************************)
(* Situations where reading the reference raised a doubt (findings.md has   *)
(* the table). must_fail.txt has TLC reach each of them: the properties     *)
(* above have looked at it then.                                            *)
(****************************************************************************)

\* The parent is about to open a stream that the child no longer observes.
NeverOpenCrossesUnobserve ==
  ~ \E l \in Links : \E i \in DOMAIN wire[l].down :
      LET m == wire[l].down[i] IN
      m.k = "open" /\ m.t = "stream" /\ \A d \in Covering[m.o] : ~node[Child[l]].told[d].ob

\* An object has moved from link m to link l, whose child has withdrawn meanwhile.
NeverMoveCrossesUnexpose ==
  ~ \E l, m \in Links, o \in Objects :
      /\ node[Parent[l]].elected[o] = l /\ node[Parent[m]].revoked[m][o] # 0
      /\ Parent[l] = Parent[m] /\ Exposes(node[Parent[m]], m, o)
      /\ wire[l].below = "on" /\ \A d \in Covering[o] : ~node[Child[l]].told[d].ex

\* A link has gone before its election has arrived.
NeverDropsInFlight ==
  ~ \E l \in Links, o \in Objects :
      /\ wire[l].below = "gone" /\ node[Parent[l]].elected[o] = l
      /\ node[Parent[l]].sink[l][o].ch # 0 /\ node[Parent[l]].sink[l][o].v = 0

\* Upstream streams what a local contract, which has not given back its sink, exposed until then.
NeverUpstreamTakesOver ==
  ~ \E k \in Contracts, o \in Objects :
      Kind[k] = "expose" /\ node[At[k]].offers[k][o].s = "revoked" /\ node[At[k]].elected[o] = Upstream

\* Who is elected observes the object too, and so does another.
NeverElectedObserves ==
  ~ \E l, m \in Links, o \in Objects :
      LET N == node[Parent[l]] IN
      l # m /\ Parent[l] = Parent[m] /\ N.elected[o] = l /\ Observes(N, l, o) /\ N.stream[m][o].ch # 0

\* A link is elected through one of an object's two tags.
NeverOneTagOfTwo ==
  ~ \E l \in Links, o \in Objects :
      LET exposed == {d \in Covering[o] : node[Parent[l]].contract[l][d].ex} IN
      /\ node[Parent[l]].sink[l][o].ch # 0
      /\ exposed # TagsOf[o] /\ exposed # {} /\ Cardinality(TagsOf[o]) = 2

\* A link's capacity is another than that which it was elected with.
NeverRemembered ==
  ~ \E l \in Links, o \in Objects :
      LET N == node[Parent[l]] IN
      N.elected[o] = l /\ Capacity(N, l, o) > 0 /\ N.share[l][o] # Share(Capacity(N, l, o))

\* A link of capacity 0 is elected.
NeverZeroElected ==
  ~ \E l \in Links, o \in Objects :
      node[Parent[l]].elected[o] = l /\ Exposes(node[Parent[l]], l, o) /\ Capacity(node[Parent[l]], l, o) = 0
==============================================================================
