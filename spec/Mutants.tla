------------------------------- MODULE Mutants -------------------------------
(* Rules of hakuban.tla broken on purpose, one fault each. must_fail.txt puts *)
(* a mutant in the place of its rule (Rule <- Mutant), and a property must   *)
(* notice. So hakuban.tla itself has nothing but the protocol.               *)
EXTENDS Properties

(****************************************************************************)
(* Sessions                                                                 *)
(****************************************************************************)
\* Parted: what was under way upwards survives the session.
PartedWithQueue(L, end) ==
  LET other == IF end = "downstream" THEN "upstream" ELSE "downstream"
      queue == IF end = "downstream" THEN "down" ELSE "up" IN
  IF L[other] # "on" THEN [Idle EXCEPT !.up = L.up]
  ELSE [L EXCEPT ![end] = "gone", ![queue] = <<>>]

\* WithoutUpstream: what upstream was told is taken for told in the next session.
WithoutUpstreamButTold(N, O) ==
  [N EXCEPT !.sources = [o \in Objects |-> {}], !.outlets = [o \in Objects |-> {}]]

\* WithoutDownstream: what a link asked for is remembered.
WithoutDownstreamButAsked(N, l, D, O) ==
  [N EXCEPT !.sink[l]    = [o \in Objects |-> NoChannel],
            !.revoked[l] = [o \in Objects |-> 0],
            !.stream[l]  = [o \in Objects |-> NoChannel]]

(****************************************************************************)
(* Contracts and elections                                                  *)
(****************************************************************************)
\* Summary counts contracts that are closed, with capacity 1.
SummaryOfClosed(n, N) ==
  [d \in Things |->
    LET local    == {k \in ContractsAt[n] : On[k] = d}
        exposers == {k \in local : Kind[k] = "expose"}
    IN [ob  |-> \/ \E k \in local \ exposers : IsOpen(N, k)
                \/ \E l \in DownstreamLinks[n] : N.contract[l][d].ob,
        ex  |-> \/ \E k \in exposers : IsOpen(N, k)
                \/ \E l \in DownstreamLinks[n] : N.contract[l][d].ex,
        cap |-> Sum([k \in exposers |-> IF IsOpen(N, k) THEN N.contracts[k] ELSE 1], exposers)
                + Sum([l \in DownstreamLinks[n] |-> N.contract[l][d].cap], DownstreamLinks[n])]]

\* Summary: downstream links are left out.
SummaryOfLocal(n, N) ==
  [d \in Things |->
    LET local    == {k \in ContractsAt[n] : On[k] = d /\ IsOpen(N, k)}
        exposers == {k \in local : Kind[k] = "expose"}
    IN [ob |-> local # exposers, ex |-> exposers # {}, cap |-> Sum(N.contracts, exposers)]]

\* Touched: where only a capacity changed, nobody is elected.
TouchedByTurns(N, l, told) ==
  LET before == N.contract[l]
      turned == {d \in Things : told[d].ob # before[d].ob \/ told[d].ex # before[d].ex}
  IN {o \in Objects : Covering[o] \cap turned # {}}

\* OldestLinks, OldestContracts: ties are left open.
OldestLinksAny(N, L, o)  == L
OldestContractsAny(N, K) == K

\* ShouldExist: what links name does not count.
ShouldExistHere(n, N, o) == HasUpstreamChannel(N, o) \/ \E k \in ObjectContractsOf[n][o] : IsOpen(N, k)

\* DataNeeded: two links that both observe and expose are left to themselves.
DataNeededByOne(n, N, o) ==
  /\ ShouldExist(n, N, o)
  /\ \/ HasUpstreamChannel(N, o)
     \/ \E k \in ObserversOf[n][o] : IsOpen(N, k)
     \/ \E l \in DownstreamLinks[n] : Observes(N, l, o) /\ ~Exposes(N, l, o)

\* Capacity: that of tags does not count.
CapacityOfObject(N, l, o) == N.contract[l][o].cap

\* ShareAfter: a link keeps the load of an object that it is not elected for.
ShareAfterKept(N, l, o, e) == IF e # l \/ N.elected[o] = l THEN N.share[l][o] ELSE Share(Capacity(N, l, o))

\* EndsSink: a sink stays open when its election ends.
EndsSinkNever(N, l, o, e) == FALSE

\* Offer: the sink of a contract that is not elected any more is not revoked.
OfferNotRevoked(n, N, k, o) ==
  LET f == N.offers[k][o] IN
  IF On[k] \notin Covering[o] \/ ~IsOpen(N, k) THEN NoOffer
  ELSE IF WantsOffer(n, N, k, o) THEN (IF f.s = "none" THEN [NoOffer EXCEPT !.s = "offered"] ELSE f)
  ELSE IF f.s = "offered" THEN NoOffer
  ELSE IF f.s = "taken" THEN (IF Kind[k] = "expose" THEN f ELSE [NoOffer EXCEPT !.s = "revoked"])
  ELSE f

\* Offer, LocalSource: a revoked sink goes on saying what it said.
OfferSaysOn(n, N, k, o) ==
  LET f == N.offers[k][o] IN
  IF On[k] \notin Covering[o] \/ ~IsOpen(N, k) THEN NoOffer
  ELSE IF WantsOffer(n, N, k, o) THEN (IF f.s = "none" THEN [NoOffer EXCEPT !.s = "offered"] ELSE f)
  ELSE IF f.s = "offered" THEN NoOffer
  ELSE IF f.s = "taken" THEN [f EXCEPT !.s = "revoked"]
  ELSE f
LocalSourceRevoked(N, k, o) ==
  \/ N.elected[o] = k /\ N.offers[k][o].s = "taken"
  \/ N.offers[k][o].s = "revoked"

\* Offer: one that waits to be taken is not withdrawn.
OfferStays(n, N, k, o) ==
  LET f == N.offers[k][o] IN
  IF On[k] \notin Covering[o] \/ ~IsOpen(N, k) THEN NoOffer
  ELSE IF WantsOffer(n, N, k, o) /\ f.s = "none" THEN [NoOffer EXCEPT !.s = "offered"]
  ELSE IF ~WantsOffer(n, N, k, o) /\ f.s = "taken" THEN [NoOffer EXCEPT !.s = "revoked"]
  ELSE f

\* Choices: a link stays elected, whether it exposes or not.
ChoicesWithdrawn(n, N, o) ==
  LET exposers == {k \in ObjectExposersOf[n][o] : IsOpen(N, k)} IN
  IF ~DataNeeded(n, N, o)           THEN {Nobody}
  ELSE IF N.sources[o] # {}         THEN {Upstream}
  ELSE IF N.elected[o] \in exposers THEN {N.elected[o]}
  ELSE IF exposers # {}             THEN Greatest(N, exposers)
  ELSE IF N.elected[o] \in DownstreamLinks[n] THEN {N.elected[o]}
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
EligibleOverLimit(n, N, o) == {l \in DownstreamLinks[n] : Exposes(N, l, o) /\ Capacity(N, l, o) > 0}

\* Moves: the timer moves, but does not elect where nobody is elected.
MovesOnly(n, N, o) ==
  LET a == N.elected[o] IN
  IF a \notin DownstreamLinks[n] THEN {}
  ELSE {b \in Best(n, N, o) \ {a} : Loads => LoadWith(N, b, o) < Load(N, a) - Threshold}

(****************************************************************************)
(* States and flags                                                         *)
(****************************************************************************)
\* IsNow: what is older than the state held says now of it.
IsNowOfAny(N, o, x) == x.now

\* Absorbed: an older state replaces a newer one.
AbsorbedAny(N, o, v) == IF v # 0 THEN [N EXCEPT !.held[o].v = v] ELSE N

\* Absorbed: a state of the same version replaces the one held.
AbsorbedEqual(N, o, v) ==
  IF v # 0 /\ Version[v] >= Version[N.held[o].v] THEN [N EXCEPT !.held[o].v = v] ELSE N

\* TakenUp: a state is taken from a sink that was closed or revoked.
TakenUpLate(n, N, l, m) ==
  Settled(n, Absorbed(IF m.ch # N.sink[l][m.o].ch THEN N
                      ELSE [N EXCEPT !.sink[l][m.o].v = m.v, !.sink[l][m.o].now = m.now], m.o, m.v))

\* MayErase: a state is kept for ever; or is erased while a stream is open that carried it.
MayEraseNever(n, N, o) == FALSE
MayEraseEarly(n, N, o) == ~DataNeeded(n, N, o)

(****************************************************************************)
(* Pulls                                                                    *)
(****************************************************************************)
\* Differs: after the first state the flag alone is looked at.
DiffersInFlag(h, x) == h.v # 0 /\ (x.v = 0 \/ h.now # x.now)

\* StateMessage: another state than the one held.
StateMessageOfAnother(o, ch, h) == [k |-> "state", o |-> o, ch |-> ch, v |-> Max(States), now |-> h.now]

\* SendUp, SendDown: what does not find an empty queue is lost.
SendUpLossy(L, messages)   == IF L.upstream = "gone" \/ L.up # <<>> THEN L ELSE [L EXCEPT !.up = @ \o messages]
SendDownLossy(L, messages) == IF L.downstream = "gone" \/ L.down # <<>> THEN L ELSE [L EXCEPT !.down = @ \o messages]

\* ClosesSink: a revoked sink is never closed; one that is not there is.
ClosesSinkNever(N, l, o)  == FALSE
ClosesSinkAlways(N, l, o) == TRUE

\* WantsStream: not to who observes by a tag only.
WantsStreamByObject(N, l, o) == N.contract[l][o].ob /\ N.elected[o] \notin {l, Nobody}

\* WantsStream: also to who does not observe; to the elected; where nobody is elected.
WantsStreamAlways(N, l, o)   == N.elected[o] \notin {l, Nobody}
WantsStreamOfOwn(N, l, o)    == Observes(N, l, o) /\ N.elected[o] # Nobody
WantsStreamOfNobody(N, l, o) == Observes(N, l, o) /\ N.elected[o] # l

\* OpensSink: a sink is opened again.
OpensSinkAgain(N, l, o) == WantsSink(N, l, o)

\* Next: contracts open and close, and nothing else happens.
NextOfContracts ==
  \/ \E k \in Contracts, c \in Capacities \cup {0} : Open(k, c)
  \/ \E k \in Contracts : Close(k)

(****************************************************************************)
(* Rights                                                                   *)
(****************************************************************************)
\* ObservesThing, ExposesThing: all that is asked for counts. Bounded: any capacity does.
ObservesAsked(N, l, d)     == N.contract[l][d].ob
ExposesAsked(N, l, d)      == N.contract[l][d].ex
BoundedNever(N, l, cap)    == cap

\* SetRights: rights are noted, and nobody is elected.
SetRightsOnly(l, rights) ==
  LET n == UpstreamEnd[l] IN
  /\ link[l].upstream = "on"
  /\ rights # node[n].rights[l]
  /\ BecomesAlone(n, Settled(n, Noted(node[n], l, node[n].contract[l], rights)))

\* WithoutThoseWhoLeft: whoever comes next has the rights of who left.
RightsSurvive(n, N) == [N EXCEPT !.leaving = {l \in @ : HasLeft(n, N, l)}]

(****************************************************************************)
(* Slices                                                                   *)
(****************************************************************************)
\* AfterSlice: what a slice leaves is not noted as due.
AfterSliceForgotten(n, N, O) == UNION {AfterElections(n, N, P) : P \in SUBSET O}

\* WithoutThoseWhoLeft: a link has left, though something of it is left.
LeftAtOnce(n, N) == [N EXCEPT !.leaving = {}]

\* Serves: whoever is leaving is elected.
ServesLeaving(N, l, o) == Exposes(N, l, o)

\* Continue, Withdraw: never.
ContinueNever(n, o) == FALSE
WithdrawNever(n, l) == FALSE
==============================================================================
