--------------------------------- MODULE MC ----------------------------------
(* Budgets, so that the state graph has an end, and the temporal properties. *)
(* A configuration MC_x.tla names the exchanges, links, contracts and budgets. *)
EXTENDS Properties

CONSTANTS
  OpenAtStart,      \* contracts that are open at the start, with capacity 1
  AttachedAtStart,  \* link slots with a session at the start
  Toggles,          \* how often a contract is opened, closed or changed, or a
                    \*   sink given back that was not revoked
  Publishes,        \* how many states are published
  Losses,           \* how many sessions are lost
  Rebalances,       \* how many elections the timer makes
  Room,             \* a link pulls while fewer messages than this are in flight
  Readers,          \* observers that take and read their streams. The others
                    \*   would only multiply states
  Fresh             \* TRUE: every published state is newer than all before it;
                    \*   FALSE: any state that is not stale where it is published

VARIABLES
  budget,           \* what is left of it
  published         \* states published so far

all == <<node, link, budget, published>>

Spend(what) == budget[what] > 0 /\ budget' = [budget EXCEPT ![what] = @ - 1] /\ UNCHANGED published
Free == UNCHANGED <<budget, published>>

Start(n) ==
  LET N == [EmptyNode(n) EXCEPT !.contracts =
             [k \in ContractsAt[n] |-> IF k \notin OpenAtStart THEN Closed
                                       ELSE IF Kind[k] = "observe" THEN 0 ELSE 1]]
  IN CHOOSE M \in AfterElections(n, N, Objects) : TRUE

MCInit ==
  /\ node = [n \in Exchanges |-> Start(n)]
  /\ link = [l \in Links |-> IF l \in AttachedAtStart
                             THEN [Idle EXCEPT !.downstream = "on", !.upstream = "on"] ELSE Idle]
  /\ budget = [toggles |-> Toggles, publishes |-> Publishes, losses |-> Losses,
               rebalances |-> Rebalances]
  /\ published = {}

DoOpen        == Spend("toggles") /\ \E k \in Contracts, c \in Capacities \cup {0} : Open(k, c)
DoClose       == Spend("toggles") /\ \E k \in Contracts : Close(k)
DoSetCapacity == Spend("toggles") /\ \E k \in Contracts, c \in Capacities : SetCapacity(k, c)
DoSetRights   == Spend("toggles") /\ \E l \in Links, rights \in Rights : SetRights(l, rights)
DoTake        == Free /\ \E k \in Contracts, o \in Objects :
                   (Kind[k] = "expose" \/ k \in Readers) /\ Take(k, o)
DoRelease     == \/ Free /\ \E k \in Contracts, o \in Objects :
                      node[At[k]].offers[k][o].s = "revoked" /\ Release(k, o)
                 \/ Spend("toggles") /\ \E k \in Contracts, o \in Objects :
                      node[At[k]].offers[k][o].s = "taken" /\ Kind[k] = "expose" /\ Release(k, o)
DoRead        == Free /\ \E k \in Readers, o \in Objects : Read(k, o)
DoPublish     == /\ budget.publishes > 0
                 /\ budget' = [budget EXCEPT !.publishes = @ - 1]
                 /\ \E k \in Contracts, o \in Objects, v \in States, now \in BOOLEAN :
                      /\ Fresh => v = Cardinality(published) + 1
                      /\ published' = published \cup {v}
                      /\ Publish(k, o, v, now)
DoAttach      == Free /\ \E l \in Links, end \in {"downstream", "upstream"} : Attach(l, end)
Lose          == Spend("losses") /\ \E l \in Links, end \in {"downstream", "upstream"} :
                   link[l].downstream # "gone" /\ link[l].upstream # "gone" /\ Detach(l, end)
Notice        == Free /\ \E l \in Links, end \in {"downstream", "upstream"} :
                   (link[l].downstream = "gone" \/ link[l].upstream = "gone") /\ Detach(l, end)
DoPullUp      == Free /\ \E l \in Links : Len(link[l].up) < Room /\ PullUp(l)
DoPullDown    == Free /\ \E l \in Links, o \in Objects : Len(link[l].down) < Room /\ PullDown(l, o)
DoReceiveContracts == Free /\ \E l \in Links : ReceiveContracts(l)
DoReceiveOpen      == Free /\ \E l \in Links : ReceiveOpen(l)
DoReceiveClose     == Free /\ \E l \in Links : ReceiveClose(l)
DoReceiveStateUp   == Free /\ \E l \in Links : ReceiveStateUp(l)
DoReceiveStateDown == Free /\ \E l \in Links : ReceiveStateDown(l)
DoWithdraw    == Free /\ \E n \in Exchanges, l \in Links : Withdraw(n, l)
DoContinue    == Free /\ \E n \in Exchanges, o \in Objects : Continue(n, o)
DoRebalance   == Spend("rebalances") /\ \E n \in Exchanges, o \in Objects : Rebalance(n, o)

MCNext ==
  \/ DoOpen \/ DoClose \/ DoSetCapacity
  \/ DoTake \/ DoRelease \/ DoRead \/ DoPublish
  \/ DoAttach \/ Lose \/ Notice
  \/ DoPullUp \/ DoPullDown
  \/ DoReceiveContracts \/ DoReceiveOpen \/ DoReceiveClose
  \/ DoReceiveStateUp \/ DoReceiveStateDown
  \/ DoRebalance
  \/ DoSetRights
  \/ DoWithdraw \/ DoContinue

MCSpec == MCInit /\ [][MCNext]_all

StatesWerePublished ==
  /\ \A n \in Exchanges, o \in Objects : node[n].held[o].v \in {0} \cup published
  /\ \A l \in Links : \A i \in DOMAIN link[l].up :
       link[l].up[i].k = "state" => link[l].up[i].v \in published
  /\ \A l \in Links : \A i \in DOMAIN link[l].down :
       link[l].down[i].k = "state" => link[l].down[i].v \in published

(****************************************************************************)
(* Liveness                                                                 *)
(*                                                                          *)
(* Fair: as long as a link can pull or deliver, a lost session be noticed or *)
(* made again, an offered sink be taken or a revoked one be given back, some *)
(* such thing happens. That is less than fairness for each of them, and is  *)
(* enough because these alone never go on for ever (ComesToRest). Budgets   *)
(* run out, so contracts, publishing and losses stop at last; nothing says  *)
(* when.                                                                    *)
(****************************************************************************)
GiveBack == Free /\ \E k \in Contracts, o \in Objects :
              node[At[k]].offers[k][o].s = "revoked" /\ Release(k, o)

AllButPullDown ==
  \/ DoTake \/ GiveBack \/ DoAttach \/ Notice \/ DoPullUp
  \/ DoReceiveContracts \/ DoReceiveOpen \/ DoReceiveClose
  \/ DoReceiveStateUp \/ DoReceiveStateDown
  \/ DoWithdraw \/ DoContinue

LiveSpec   == MCSpec /\ WF_all(AllButPullDown \/ DoPullDown)
UnfairSpec == MCSpec /\ WF_all(AllButPullDown)  \* upstream may never pull

\* Everything comes to rest.
ComesToRest == <>[]Quiet

\* An object that stays wanted, where somebody stays willing, gets an exposer:
\* the election leads to a local contract.
Willing(n, o) ==
  \/ \E k \in ObjectExposersOf[n][o] \cup TagExposersOf[n][o] : IsOpen(node[n], k)
  \/ \E l \in DownstreamLinks[n] :
       \E k \in ObjectExposersOf[DownstreamEnd[l]][o] : IsOpen(node[DownstreamEnd[l]], k)
Wanted(n, o) == \E k \in ObserversOf[n][o] : IsOpen(node[n], k)
WantedIsServed ==
  \A n \in Exchanges, o \in Objects :
    <>[](Wanted(n, o) /\ Willing(n, o)) => <>[](Exposer(n, o) # <<>>)

\* Once publishing has stopped, everybody who is to get states has the newest.
Converges ==
  <>[]\A l \in Links, o \in Objects :
    LET U == node[UpstreamEnd[l]]
        D == node[DownstreamEnd[l]] IN
    /\ U.sink[l][o].ch # 0   => Version[U.held[o].v] >= Version[D.held[o].v]
    /\ U.stream[l][o].ch # 0 => Version[D.held[o].v] >= Version[U.held[o].v]

\* A revoked sink is released.
RevokedIsReleased ==
  \A k \in Contracts, o \in Objects :
    node[At[k]].offers[k][o].s = "revoked" ~> node[At[k]].offers[k][o].s # "revoked"

\* Elections stop when contracts and links do.
ElectionsStop ==
  <>[][\A n \in Exchanges : node'[n].elected = node[n].elected]_all

(****************************************************************************)
(* Must be violated (must_fail.txt): each says that something interesting   *)
(* never happens, so that a specification in which nothing happens fails.   *)
(****************************************************************************)
Exposing(o) == {k \in Contracts : Kind[k] = "expose" /\ node[At[k]].offers[k][o].s = "taken"}

\* Two exposers at work for one object, while one hands over to the other.
NeverOverlap == \A o \in Objects : Cardinality(Exposing(o)) <= 1

\* The timer moves an object from one link to another.
NeverMoved ==
  [][\A n \in Exchanges, o \in Objects :
       ~ /\ node[n].elected[o] \in DownstreamLinks[n] /\ node'[n].elected[o] \in DownstreamLinks[n]
         /\ node[n].elected[o] # node'[n].elected[o]
         /\ budget'.rebalances # budget.rebalances]_all

\* After a loss, the downstream end gets a state that is newer than the one it kept.
NeverResynced ==
  ~ /\ budget.losses < Losses
    /\ \E l \in Links : \E i \in DOMAIN link[l].down :
         LET m == link[l].down[i] IN
         m.k = "state" /\ 0 < node[DownstreamEnd[l]].held[m.o].v /\ node[DownstreamEnd[l]].held[m.o].v < m.v

\* A state arrives on an open sink that is older than the one held.
NeverStale ==
  ~ \E l \in Links : \E i \in DOMAIN link[l].up :
      LET m == link[l].up[i] IN
      /\ m.k = "state" /\ m.ch = node[UpstreamEnd[l]].sink[l][m.o].ch
      /\ Version[m.v] < Version[node[UpstreamEnd[l]].held[m.o].v]

\* A state arrives on a sink that was closed meanwhile.
NeverLate ==
  ~ \E l \in Links : \E i \in DOMAIN link[l].up :
      LET m == link[l].up[i]
          U == node[UpstreamEnd[l]] IN
      link[l].upstream = "on" /\ m.k = "state" /\ m.ch \notin {U.sink[l][m.o].ch, U.revoked[l][m.o]}

\* A dead session is elected, beside the live one of the same exchange.
NeverGhost ==
  ~ \E l, m \in Links : /\ link[l].downstream = "gone" /\ Together(m) /\ DownstreamEnd[l] = DownstreamEnd[m]
                        /\ \E o \in Objects : node[UpstreamEnd[l]].elected[o] = l

\* Each end of a link takes the other for the exposer.
NeverEcho ==
  \A l \in Links, o \in Objects :
    ~(Together(l) /\ node[UpstreamEnd[l]].elected[o] = l /\ node[DownstreamEnd[l]].elected[o] = Upstream)

\* An exchange has two channels with upstream for one object: a reference peer's messages overtake
\* one another.
NeverTwoChannels ==
  \A n \in Exchanges, o \in Objects : Cardinality(node[n].outlets[o]) + Cardinality(node[n].sources[o]) <= 1

\* A load limit refuses the only link that would expose.
NeverRefused ==
  \A n \in Exchanges, o \in Objects : \A l \in DownstreamLinks[n] :
    ~(DataNeeded(n, node[n], o) /\ node[n].elected[o] = Nobody /\ Capacity(node[n], l, o) > 0)

\* A sink that was taken back is not released, while its contract is elected again.
NeverHeldUp ==
  \A k \in Contracts, o \in Objects :
    ~(node[At[k]].elected[o] = k /\ node[At[k]].offers[k][o].s = "revoked")

\* What says now is the newest there is.
NowIsNewest ==
  \A n \in Exchanges, o \in Objects : node[n].held[o].now => node[n].held[o].v = Max(published)

\* Whoever reads, reads the newest state published: reads are linearizable.
ReadsAreLinearizable ==
  [][\A k \in Readers, o \in Objects :
       node'[At[k]].offers[k][o].v # node[At[k]].offers[k][o].v /\ node'[At[k]].offers[k][o].v # 0
         => node'[At[k]].offers[k][o].v = Max(published)]_all

\* When all is quiet, exchanges that hold one version hold the same data. Two
\* exposers that publish one version with different data break it.
Coherent ==
  Quiet => \A n, m \in Exchanges, o \in Objects :
    LET a == node[n].held[o].v
        b == node[m].held[o].v IN
    Version[a] = Version[b] => a = b
==============================================================================
