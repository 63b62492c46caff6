"""The river: how far the salt has come, salt spells, and whether water may be taken."""
