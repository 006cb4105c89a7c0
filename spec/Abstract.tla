------------------------------ MODULE Abstract -------------------------------
(* What Hakuban is for, said of a whole tree at once: who produces an object's *)
(* states, which state is the newest, and who may see it. Here are no          *)
(* messages, no channels, and no view that one exchange has of another.        *)
(* hakuban.tla refines this: Refinement.tla has the mapping, and TLC checks it *)
(* in every configuration. None of the rules of hakuban.tla is used here, so a *)
(* rule that is wrong there is not wrong here in the same way.                 *)
EXTENDS Integers, FiniteSets

CONSTANTS
  Exchanges, Links, UpstreamEnd, DownstreamEnd, Objects, TagsOf,
  Contracts, At, Kind, On, Version,
  Refusing,   \* TRUE: a load limit may refuse an exchange
  Ruled       \* TRUE: rights may leave out what is asked for

VARIABLES
  capacity,   \* capacity[k]: of an open contract (0 for an observer); -1: it is closed
  joined,     \* links with a session that both ends are in
  elected,    \* elected[o]: the contracts that are elected to produce o
  working,    \* working[o]: the contracts with a sink or stream for o that works
  keeping,    \* keeping[o]: those who have not given back one that was revoked
  sees,       \* sees[n][o]: the newest state of o that exchange n has; 0: none
  published,  \* the states that were published
  calm        \* nothing is under way, and nothing is owed

vars == <<capacity, joined, elected, working, keeping, sees, published, calm>>

IsOpen(k)    == capacity[k] >= 0
Covers(k, o) == On[k] = o \/ On[k] \in TagsOf[o]
Observers(o) == {k \in Contracts : IsOpen(k) /\ Covers(k, o) /\ Kind[k] = "observe"}
Exposers(o)  == {k \in Contracts : IsOpen(k) /\ Covers(k, o) /\ Kind[k] = "expose"}

(****************************************************************************)
(* The tree, as far as it is joined                                         *)
(****************************************************************************)
Branches(n) == {DownstreamEnd[l] : l \in {l \in joined : UpstreamEnd[l] = n}}
Roots       == {n \in Exchanges : \A l \in joined : DownstreamEnd[l] # n}

\* The exchange itself and all that are downstream of it.
RECURSIVE Under(_)
Under(n) == {n} \cup UNION {Under(b) : b \in Branches(n)}

\* Those of the contracts K that are there.
Of(K, n) == {k \in K : At[k] \in Under(n)}

(****************************************************************************)
(* Who produces                                                             *)
(****************************************************************************)
\* A single branch that observes and exposes serves itself: the election is left to
\* the first exchange, from n on downstream, where that is not so.
RECURSIVE Top(_, _)
Top(n, o) ==
  LET wanting == {b \in Branches(n) : Of(Observers(o), b) # {}}
      itself  == {b \in wanting : Of(Exposers(o), b) # {}}
  IN IF Cardinality(wanting) = 1 /\ itself = wanting /\ \A k \in Observers(o) : At[k] # n
     THEN Top(CHOOSE b \in wanting : TRUE, o) ELSE n

\* An exchange's own exposers come before those of its branches.
RECURSIVE Candidates(_, _)
Candidates(n, o) ==
  LET own == {k \in Exposers(o) : At[k] = n}
  IN IF own # {} THEN own ELSE UNION {Candidates(b, o) : b \in Branches(n)}

\* Somebody observes the object there, and somebody names it: a tag alone names none.
Wanted(n, o) ==
  /\ Of(Observers(o), n) # {}
  /\ \E k \in Contracts : IsOpen(k) /\ On[k] = o /\ At[k] \in Under(n)

\* Nobody is refused, as far as that is known: no limit, and no capacity of 0.
Sure(n, o) == ~Refusing /\ \A k \in Of(Exposers(o), n) : capacity[k] > 0

\* There is one producer, where one is wanted and somebody can be it. (Where somebody
\* may be refused, branches may serve themselves, each with a producer of its own.)
Elects(r, o) ==
  LET n        == Top(r, o)
      electeds == Of(elected[o], r) IN
  /\ ~Wanted(n, o) => electeds = {}
  /\ Wanted(n, o) /\ Sure(n, o) =>
       /\ Cardinality(electeds) = (IF Of(Exposers(o), n) = {} THEN 0 ELSE 1)
       /\ electeds \subseteq Candidates(n, o)

(****************************************************************************)
(* Who sees                                                                 *)
(****************************************************************************)
\* Whoever observes has what the producer's exchange has, or something newer; and
\* nobody has a state but those who observe, or lead to an observer, or to the producer.
Sees(r, o) ==
  LET n        == Top(r, o)
      electeds == Of(elected[o], r) IN
  /\ Sure(n, o) => \A p \in electeds : \A k \in Of(Observers(o), n) :
       Version[sees[At[k]][o]] >= Version[sees[At[p]][o]]
  /\ \A m \in Under(r) : sees[m][o] # 0 =>
       /\ Wanted(n, o)
       /\ m \in Under(n)
       /\ Of(Observers(o), m) # {} \/ Of(electeds, m) # {}

(****************************************************************************)
(* Always: who is elected is an open exposer, one in an exchange, and has a *)
(* sink that works, unless one is to be given back first. Nobody else has.  *)
(* Who observes an object has a stream; who observes a tag has one for each *)
(* object that is named there, once all is calm.                            *)
(****************************************************************************)
Kept(o) == working[o] \cup keeping[o]

OneProducer ==
  \A o \in Objects :
    /\ elected[o] \subseteq Exposers(o)
    /\ \A j, k \in elected[o] : At[j] = At[k] => j = k
    /\ {k \in working[o] : Kind[k] = "expose"} \subseteq elected[o]
    /\ elected[o] \subseteq Kept(o)
    /\ \A k \in Observers(o) : On[k] = o => k \in Kept(o)
    /\ Kept(o) \subseteq Observers(o) \cup Exposers(o)

Outcome ==
  calm /\ ~Ruled => \A o \in Objects :
    /\ \A r \in Roots : Elects(r, o) /\ Sees(r, o)
    /\ \A k \in Observers(o) :
         \/ k \in Kept(o)
         \/ \A j \in Contracts : IsOpen(j) /\ On[j] = o => At[j] \notin Under(At[k])
    /\ \A k \in working[o] : Kind[k] = "observe" =>
         \E j \in Contracts : /\ IsOpen(j) /\ On[j] = o
                              /\ \E r \in Roots : {At[j], At[k]} \subseteq Under(r)

(****************************************************************************)
(* Step by step: a state is newer than the one before and was published, by *)
(* somebody with a sink that works; or there is none any more, where nobody *)
(* is reading.                                                              *)
(****************************************************************************)
Published ==
  \A s \in published' \ published : \E o \in Objects : \E k \in working[o] \cap working'[o] :
    Kind[k] = "expose" /\ sees'[At[k]][o] = s

Seen ==
  \A n \in Exchanges, o \in Objects :
    LET before == sees[n][o]
        after  == sees'[n][o] IN
    \/ after = before
    \/ after \in published' /\ Version[after] > Version[before]
    \/ after = 0 /\ ~ \E k \in working[o] \cap working'[o] : Kind[k] = "observe" /\ At[k] = n

Init == published = {} /\ sees = [n \in Exchanges |-> [o \in Objects |-> 0]]
Next == published \subseteq published' /\ Published /\ Seen

Spec == Init /\ [][Next]_vars /\ []OneProducer /\ []Outcome
==============================================================================
