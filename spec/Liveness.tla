------------------------------ MODULE Liveness -------------------------------
(* Temporal properties of a whole tree, and of the timer. MC.tla has those of *)
(* one exchange, and what is fair.                                           *)
EXTENDS Refinement

(****************************************************************************)
(* Who may be unfair. For each property must_fail.txt has one of these, or  *)
(* MC.tla's UnfairSpec, under which it does not hold.                       *)
(****************************************************************************)
\* An owner who never gives back a revoked sink.
KeepingSpec == MCSpec /\ WF_all(\/ DoTake \/ DoAttach \/ Notice \/ DoPullUp \/ DoPullDown
                                \/ DoReceiveContracts \/ DoReceiveOpen \/ DoReceiveClose
                                \/ DoReceiveStateUp \/ DoReceiveStateDown
                                \/ DoWithdraw \/ DoContinue)

\* The timer may elect as often as it likes, and does not stop while it can.
Timer == Free /\ \E n \in Exchanges, o \in Objects : Rebalance(n, o)

TimedNext     == MCNext \/ Timer
TimedSpec     == MCInit /\ [][TimedNext]_all /\ WF_all(AllButPullDown \/ DoPullDown) /\ WF_all(Timer)
LazyTimerSpec == MCInit /\ [][TimedNext]_all /\ WF_all(AllButPullDown \/ DoPullDown)

(****************************************************************************)
(* A tree                                                                   *)
(****************************************************************************)
Joined == \A l \in Links : Together(l)

\* An object that stays wanted somewhere in a tree that stays joined, where somebody
\* anywhere stays willing, gets an exposer. (With capacity 0 it need not: finding 9.)
WantedAnywhereIsServed ==
  \A n \in Exchanges, o \in Objects :
    <>[](/\ Joined /\ Wanted(n, o)
         /\ \E k \in Contracts : Kind[k] = "expose" /\ On[k] \in Covering[o] /\ IsOpen(node[At[k]], k))
      => <>[](Exposer(n, o) # <<>>)

\* Whoever observes, and has an exposer, ends with a state that is not older than what
\* the exposer published last; and when it is that one, with its flag.
ObserversEndAtNewest ==
  \A n \in Exchanges, o \in Objects :
    <>[](Wanted(n, o) /\ Exposer(n, o) # <<>>)
      => <>[](LET x == Exposer(n, o) IN
              x # <<>> /\ LET f == node[x[1]].offers[x[2]][o]
                              h == node[n].held[o] IN
                          /\ Version[h.v] >= Version[f.v]
                          /\ Version[h.v] = Version[f.v] => h.now = f.now)

(****************************************************************************)
(* The timer                                                                *)
(****************************************************************************)
\* Where there is room again, somebody is elected.
RoomIsTaken ==
  \A n \in Exchanges, o \in Objects :
    <>[](DataNeeded(n, node[n], o) /\ Eligible(n, node[n], o) # {}) => <>[](node[n].elected[o] # Nobody)

(****************************************************************************)
(* Must be violated                                                         *)
(****************************************************************************)
\* No stream is ever open; no sink is.
NeverStreams == \A l \in Links, o \in Objects : node[UpstreamEnd[l]].stream[l][o].ch = 0
NeverSinks   == \A l \in Links, o \in Objects : node[UpstreamEnd[l]].sink[l][o].ch = 0

\* The timer moves an object from one link to another.
NeverMovesAlone ==
  [][\A n \in Exchanges, o \in Objects :
       ~ /\ node[n].elected[o] \in DownstreamLinks[n] /\ node'[n].elected[o] \in DownstreamLinks[n]
         /\ node[n].elected[o] # node'[n].elected[o] /\ node[n].contract = node'[n].contract]_all

\* There is always somebody elected where there is room.
NeverRoom == \A n \in Exchanges, o \in Objects :
  ~(DataNeeded(n, node[n], o) /\ node[n].elected[o] = Nobody /\ Eligible(n, node[n], o) # {})
==============================================================================
