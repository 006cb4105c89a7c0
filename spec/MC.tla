--------------------------------- MODULE MC ----------------------------------
(* Budgets, so that the state graph has an end, and the temporal properties. *)
(* A configuration MC_x.tla names the exchanges, links, contracts and budgets.*)
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

all == <<node, wire, budget, published>>

Spend(what) == budget[what] > 0 /\ budget' = [budget EXCEPT ![what] = @ - 1] /\ UNCHANGED published
Free == UNCHANGED <<budget, published>>

Start(n) ==
  LET N == [EmptyNode(n) EXCEPT !.contracts =
             [k \in ContractsAt[n] |-> IF k \notin OpenAtStart THEN Closed
                                       ELSE IF Kind[k] = "observe" THEN 0 ELSE 1]]
  IN CHOOSE M \in AfterElections(n, N, Objects) : TRUE

MCInit ==
  /\ node = [n \in Exchanges |-> Start(n)]
  /\ wire = [l \in Links |-> IF l \in AttachedAtStart
                             THEN [Idle EXCEPT !.below = "on", !.above = "on"] ELSE Idle]
  /\ budget = [toggles |-> Toggles, publishes |-> Publishes, losses |-> Losses,
               rebalances |-> Rebalances]
  /\ published = {}

DoOpen        == Spend("toggles") /\ \E k \in Contracts, c \in Capacities \cup {0} : Open(k, c)
DoClose       == Spend("toggles") /\ \E k \in Contracts : Close(k)
DoSetCapacity == Spend("toggles") /\ \E k \in Contracts, c \in Capacities : SetCapacity(k, c)
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
DoAttach      == Free /\ \E l \in Links, end \in {"below", "above"} : Attach(l, end)
Lose          == Spend("losses") /\ \E l \in Links, end \in {"below", "above"} :
                   wire[l].below # "gone" /\ wire[l].above # "gone" /\ Detach(l, end)
Notice        == Free /\ \E l \in Links, end \in {"below", "above"} :
                   (wire[l].below = "gone" \/ wire[l].above = "gone") /\ Detach(l, end)
DoPullUp      == Free /\ \E l \in Links : Len(wire[l].up) < Room /\ PullUp(l)
DoPullDown    == Free /\ \E l \in Links, o \in Objects : Len(wire[l].down) < Room /\ PullDown(l, o)
DoReceiveContracts == Free /\ \E l \in Links : ReceiveContracts(l)
DoReceiveOpen      == Free /\ \E l \in Links : ReceiveOpen(l)
DoReceiveClose     == Free /\ \E l \in Links : ReceiveClose(l)
DoReceiveStateUp   == Free /\ \E l \in Links : ReceiveStateUp(l)
DoReceiveStateDown == Free /\ \E l \in Links : ReceiveStateDown(l)
DoRebalance   == Spend("rebalances") /\ \E n \in Exchanges, o \in Objects : Rebalance(n, o)

MCNext ==
  \/ DoOpen \/ DoClose \/ DoSetCapacity
  \/ DoTake \/ DoRelease \/ DoRead \/ DoPublish
  \/ DoAttach \/ Lose \/ Notice
  \/ DoPullUp \/ DoPullDown
  \/ DoReceiveContracts \/ DoReceiveOpen \/ DoReceiveClose
  \/ DoReceiveStateUp \/ DoReceiveStateDown
  \/ DoRebalance

MCSpec == MCInit /\ [][MCNext]_all

StatesWerePublished ==
  /\ \A n \in Exchanges, o \in Objects : node[n].held[o].v \in {0} \cup published
  /\ \A l \in Links : \A i \in DOMAIN wire[l].up :
       wire[l].up[i].k = "state" => wire[l].up[i].v \in published
  /\ \A l \in Links : \A i \in DOMAIN wire[l].down :
       wire[l].down[i].k = "state" => wire[l].down[i].v \in published
==============================================================================
