"""The live socket, protocol live.v1.

    frames   what is on the wire; one of the doors where input is validated
    where    filters                         origin   which pages may connect
    ages     live, late, stale, lost         parts    what an item is made of
    items    the newest of every series, a version for each change
    view     what a filter selects of them, encoded once for all who ask the same
    alertlog the active alerts and the last events
    hub      both together, for the processor's side and for HTTP
    subscription, session    the protocol of one client, without I/O
    wire     one WebSocket, by the short way
    server   connections, tasks and time     orders   calls through the service
    mirror, client           the client's side, for tests, benchmarks and tools

What holds everywhere: a subscription is a position. Nothing is queued for a client; what it
lacks is computed when it can be sent, so a slow client costs 32 kB and a number.

Where the contract is silent:

- `unsub` is answered by a `ret`; ids that do not rise, and whatever is wrong inside a
  well-formed request, by an `err`. What can't be read at all closes with 4400.
- A client without any subprotocol is let in, for tools; one that asks for another is not.
- A change too large for a frame comes as several deltas, each from the last one's position.
  `max_hz` counts the last of them alone.
- Events wait for the same pong as deltas do, but go first when it comes.
- After a change of the registry new series appear by a delta and retired ones are deleted
  by one; if a station or branch of a series changed, everybody gets a `reset` (epoch).
- `link` is an object: {"s": "sleeping", "until": ...}. `branch` is a list. `direction` and
  `level` stand in the items that have them, `sim` in those of simulated values, `bound` in
  those of bounds.
"""
