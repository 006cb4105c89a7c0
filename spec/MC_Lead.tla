------------------------------- MODULE MC_Lead -------------------------------
\* Lead: the pattern by which clients elect a leader. Each observes and exposes one
\* object, and who is elected leads. Nothing is published; loads are counted.
\*
\*          r
\*    "ra" / \ "rb"
\*        a   b       observers "oa" and "ob"; exposers "ea" and "fa" at a, "eb" at b
EXTENDS Refinement
MCExchanges     == {"a", "b", "r"}
MCLinks         == {"ra", "rb"}
MCUpstreamEnd   == [ra |-> "r", rb |-> "r"]
MCDownstreamEnd == [ra |-> "a", rb |-> "b"]
MCObjects       == {"x"}
MCTags          == {}
MCTagsOf        == [x |-> {}]
MCContracts     == {"ea", "eb", "fa", "oa", "ob"}
MCAt            == [ea |-> "a", eb |-> "b", fa |-> "a", oa |-> "a", ob |-> "b"]
MCKind          == [ea |-> "expose", eb |-> "expose", fa |-> "expose", oa |-> "observe", ob |-> "observe"]
MCOn            == [ea |-> "x", eb |-> "x", fa |-> "x", oa |-> "x", ob |-> "x"]
MCVersion       == [s \in 0..0 |-> s]
MCLimit         == [ra |-> 12, rb |-> 12]
MCOrdered       == MCLinks

\* In each exchange: the link or local contract elected last, while it still
\* exposes the object, and who began to expose it after that election. It is kept
\* by looking on: it knows nothing of ages.
VARIABLE reign

ExposersAt(n, N, o) ==
  {l \in DownstreamLinks[n] : Exposes(N, l, o)}
  \cup {k \in ObjectExposersOf[n][o] \cup TagExposersOf[n][o] : IsOpen(N, k)}

NoReign == [leader |-> Nobody, later |-> {}]

\* Who came after the leader, by the time that N has become M.
LaterThan(r, n, N, M, o) ==
  (r.later \cup (ExposersAt(n, M, o) \ ExposersAt(n, N, o))) \cap ExposersAt(n, M, o)

ReignAfter(r, n, N, M, o) ==
  IF M.elected[o] \in ExposersAt(n, M, o) \ {r.leader} THEN [leader |-> M.elected[o], later |-> {}]
  ELSE IF r.leader \in ExposersAt(n, M, o)             THEN [r EXCEPT !.later = LaterThan(r, n, N, M, o)]
  ELSE NoReign

LeadInit ==
  /\ MCInit
  /\ reign = [n \in Exchanges |-> [o \in Objects |->
               ReignAfter(NoReign, n, node[n], node[n], o)]]

LeadNext ==
  /\ MCNext
  /\ reign' = [n \in Exchanges |-> [o \in Objects |->
                ReignAfter(reign[n][o], n, node[n], node'[n], o)]]

LeadSpec == LeadInit /\ [][LeadNext]_<<all, reign>>

\* A leader that stays is never displaced by one that came later and is no better.
NoBetter(n, N, e, leader, o) ==
  \/ {e, leader} \subseteq DownstreamLinks[n] /\ Capacity(N, e, o) <= Capacity(N, leader, o)
  \/ {e, leader} \subseteq ContractsAt[n] /\ N.contracts[e] <= N.contracts[leader]

LeaderStays ==
  [][\A n \in Exchanges, o \in Objects :
       LET r == reign[n][o]
           N == node'[n]
           e == N.elected[o] IN
       r.leader \in ExposersAt(n, N, o) \ {e} /\ e \in LaterThan(r, n, node[n], N, o)
         => ~NoBetter(n, N, e, r.leader, o)]_<<all, reign>>

\* Must be violated (must_fail.txt): nobody is elected, while a former leader is
\* there, and an equal one that came later; then the leader is elected again.
NeverLeaderless ==
  \A n \in Exchanges, o \in Objects :
    ~ /\ node[n].elected[o] = Nobody
      /\ \E e \in reign[n][o].later : NoBetter(n, node[n], e, reign[n][o].leader, o)

NeverAgain ==
  [][\A n \in Exchanges, o \in Objects :
       ~ /\ node[n].elected[o] = Nobody /\ reign[n][o].later # {}
         /\ node'[n].elected[o] = reign[n][o].leader]_<<all, reign>>
==============================================================================
