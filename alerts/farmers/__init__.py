"""What farmers are told: crops and their limits, the answer at their place, notices and words.

Pure. Who they are is known to `api.people`, how they are reached to `songtien.telling`.
"""
