------------------------------- MODULE MC_LiveR ------------------------------
\* LiveR: what is owed comes to an end in R too, with smaller budgets, where messages
\* overtake one another and child and parent take each other for the exposer.
EXTENDS MC_R, Liveness
==============================================================================
