"""A nemesis: tills post sales to real processes while faults strike at random, then a checker reads the history.

`system` starts the processes, `faults` breaks them, `history` records what each till asked and was answered,
`checker` says what was lost, doubled or made up, `mutants` are processes broken on purpose that it must find.
"""
