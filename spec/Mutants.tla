------------------------------- MODULE Mutants -------------------------------
(* Rules of hakuban.tla with a guard left out. must_fail.txt puts each in the *)
(* place of its rule (Rule <- Mutant), and a property must notice. (Where a  *)
(* word is enough, the fault is beside the rule: see Mutations there.)       *)
EXTENDS Properties

\* Summary counts contracts that are closed, with capacity 1.
SummaryOfClosed(n, N) ==
  [d \in Things |->
    LET local    == {k \in ContractsAt[n] : On[k] = d}
        exposers == {k \in local : Kind[k] = "expose"}
    IN [ob  |-> \/ \E k \in local \ exposers : IsOpen(N, k)
                \/ \E l \in Below[n] : N.contract[l][d].ob,
        ex  |-> \/ \E k \in exposers : IsOpen(N, k)
                \/ \E l \in Below[n] : N.contract[l][d].ex,
        cap |-> Sum([k \in exposers |-> IF IsOpen(N, k) THEN N.contracts[k] ELSE 1], exposers)
                + Sum([l \in Below[n] |-> N.contract[l][d].cap], Below[n])]]

\* Offer: one that waits to be taken is not withdrawn.
OfferStays(n, N, k, o) ==
  LET f == N.offers[k][o] IN
  IF On[k] \notin Covering[o] \/ ~IsOpen(N, k) THEN NoOffer
  ELSE IF Due(n, N, k, o) /\ f.s = "none" THEN [NoOffer EXCEPT !.s = "offered"]
  ELSE IF ~Due(n, N, k, o) /\ f.s = "taken" THEN [NoOffer EXCEPT !.s = "revoked"]
  ELSE f

\* Choices: a link stays elected, whether it exposes or not.
ChoicesWithdrawn(n, N, o) ==
  LET exposers == {k \in ObjectExposersOf[n][o] : IsOpen(N, k)} IN
  IF ~DataNeeded(n, N, o)           THEN {Nobody}
  ELSE IF N.sources[o] # {}         THEN {Upstream}
  ELSE IF N.elected[o] \in exposers THEN {N.elected[o]}
  ELSE IF exposers # {}             THEN Greatest(N, exposers)
  ELSE IF N.elected[o] \in Below[n] THEN {N.elected[o]}
  ELSE IF Best(n, N, o) = {}        THEN {Nobody}
  ELSE Best(n, N, o)

\* Choices: whoever exposes is elected, whether the data is needed or not.
ChoicesUnneeded(n, N, o) ==
  LET exposers == {k \in ObjectExposersOf[n][o] : IsOpen(N, k)} IN
  IF N.sources[o] # {} THEN {Upstream}
  ELSE IF exposers # {} THEN exposers
  ELSE IF Best(n, N, o) = {} THEN {Nobody}
  ELSE Best(n, N, o)

\* Eligible: a load limit refuses nobody.
EligibleOverLimit(n, N, o) == {l \in Below[n] : Exposes(N, l, o) /\ Capacity(N, l, o) > 0}

\* Moves: the timer moves, but does not elect where nobody is elected.
MovesOnly(n, N, o) ==
  LET a == N.elected[o] IN
  IF a \notin Below[n] THEN {}
  ELSE {b \in Best(n, N, o) \ {a} : Loads => LoadWith(N, b, o) < Load(N, a) - Threshold}

\* Differs: after the first state the flag alone is looked at.
DiffersInFlag(h, x) == h.v # 0 /\ (x.v = 0 \/ h.now # x.now)

\* StateMessage: another state than the one held.
StateMessageOfAnother(o, ch, h) == [k |-> "state", o |-> o, ch |-> ch, v |-> Max(States), now |-> h.now]

\* SendUp, SendDown: what does not find an empty queue is lost.
SendUpLossy(W, messages)   == IF W.above = "gone" \/ W.up # <<>> THEN W ELSE [W EXCEPT !.up = @ \o messages]
SendDownLossy(W, messages) == IF W.below = "gone" \/ W.down # <<>> THEN W ELSE [W EXCEPT !.down = @ \o messages]

\* ClosesSink: a revoked sink is never closed; one that is not there is.
ClosesSinkNever(N, l, o)  == FALSE
ClosesSinkAlways(N, l, o) == TRUE

\* WantsStream: also where nobody is elected.
WantsStreamOfNobody(N, l, o) == Observes(N, l, o) /\ N.elected[o] # l

\* MayErase: a state is kept for ever.
MayEraseNever(n, N, o) == FALSE

\* Next: contracts open and close, and nothing else happens.
NextOfContracts ==
  \/ \E k \in Contracts, c \in Capacities \cup {0} : Open(k, c)
  \/ \E k \in Contracts : Close(k)
==============================================================================
