----------------------------- MODULE Refinement ------------------------------
(* hakuban.tla, with the budgets of MC.tla, refines Abstract.tla: the mapping, *)
(* and the parts of Abstract's Spec as TLC checks them.                        *)
EXTENDS MC

\* Of an object that is due an exchange says nothing of whom it has elected, nor of its
\* sinks.
Says(k, o) == Kind[k] = "observe" \/ o \notin node[At[k]].due

Offered(kinds) == [o \in Objects |-> {k \in Contracts : Says(k, o) /\ node[At[k]].offers[k][o].s \in kinds}]

Whole == INSTANCE Abstract WITH
  Refusing  <- Loads \/ Limited,
  Ruled     <- Rights # {},
  capacity  <- [k \in Contracts |-> node[At[k]].contracts[k]],
  joined    <- {l \in Links : Together(l)},
  elected   <- [o \in Objects |-> {k \in Contracts : Says(k, o) /\ node[At[k]].elected[o] = k}],
  working   <- Offered({"offered", "taken"}),
  keeping   <- Offered({"revoked"}),
  sees      <- [n \in Exchanges |-> [o \in Objects |-> node[n].held[o].v]],
  calm      <- Quiet

Refines     == Whole!Init /\ [][Whole!Next]_(Whole!vars)
OneProducer == Whole!OneProducer
Outcome     == Whole!Outcome
==============================================================================
