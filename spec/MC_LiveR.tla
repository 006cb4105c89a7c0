------------------------------- MODULE MC_LiveR ------------------------------
\* LiveR: what is owed comes to an end in R too, with smaller budgets, where messages
\* overtake one another and the two ends of a link take each other for the exposer.
EXTENDS MC_R, Liveness
==============================================================================
