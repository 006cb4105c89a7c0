----------------------------- MODULE Refinement ------------------------------
(* hakuban.tla, with the budgets of MC.tla, refines Abstract.tla: the mapping, *)
(* and the parts of Abstract's Spec as TLC checks them.                        *)
EXTENDS MC

Offered(kinds) == [o \in Objects |-> {k \in Contracts : node[At[k]].offers[k][o].s \in kinds}]

Whole == INSTANCE Abstract WITH
  Refusing  <- Loads \/ Limited,
  capacity  <- [k \in Contracts |-> node[At[k]].contracts[k]],
  joined    <- {l \in Links : Together(l)},
  elected   <- [o \in Objects |-> {k \in Contracts : node[At[k]].elected[o] = k}],
  working   <- Offered({"offered", "taken"}),
  keeping   <- Offered({"revoked"}),
  sees      <- [n \in Exchanges |-> [o \in Objects |-> node[n].held[o].v]],
  calm      <- Quiet

Refines     == Whole!Init /\ [][Whole!Next]_(Whole!vars)
OneProducer == Whole!OneProducer
Outcome     == Whole!Outcome
==============================================================================
