Feature: Faults that strike at random, or so often

  Scenario: A linearizable service survives faults that strike at random
    Given a 3-node cluster running etcd
    When 5 clients read, write and compare and set 3 registers continuously
    And random faults strike for 10s
    And the clients stop
    Then the history is linearizable
    And no acknowledged write is lost
    And at least 5% of operations succeeded while random faults struck
    And a write to all nodes succeeds within 15s

  @slow
  Scenario: A linearizable service survives half a minute of faults
    Given a 3-node cluster running etcd
    When 5 clients read, write and compare and set 3 registers continuously
    And random faults strike for 30s
    And the clients stop
    Then the history is linearizable
    And no acknowledged write is lost
    And no read goes back in time
    And a write to all nodes succeeds within 15s

  Scenario: What may strike is told by a table
    Given a 5-node cluster running etcd
    When random faults strike for the next 4s with seed 42:
      | fault                     | weight | min   | max |
      | kill                      | 2      | 500ms | 1s  |
      | a random node loses power | 1      | 500ms | 1s  |
      | loss                      | 0      |       |     |
    Then node1 has exited with code 137 within 4s
    And a write to all nodes succeeds within 15s

  Scenario: A majority goes down only where the table allows it
    Given a 3-node cluster running etcd
    When random faults strike for 4s with seed 1:
      | fault          | weight | min | max |
      | pause          | 1      | 4s  | 4s  |
      | allow majority |        |     |     |
    Then there is exactly one leader within 10s

  Scenario: A random node is killed again and again until the faults stop
    Given a 3-node cluster running etcd
    When every 2s a random node is killed for 500ms
    And I wait 3s
    And the faults stop
    Then all nodes are running
    And a write to all nodes succeeds within 10s

  Scenario: Faults that strike until they are told to stop end with everything else
    Given a 3-node cluster running etcd
    When random faults strike:
      | fault   | weight | min | max |
      | isolate | 1      | 5s  | 5s  |
    And I wait 2s
    And everything heals
    Then a write to all nodes succeeds within 5s

  Scenario: The faults of a report strike again, each at its moment
    Given a 3-node cluster running etcd
    When these faults strike for the next 4s:
      | at    | for   | fault                                           |
      | 0s    | 2s    | node1 is isolated                               |
      | 100ms | 3s    | CPU of node3 is stressed                        |
      | 500ms | 2s    | the disk of node2 is slow by 50ms               |
      | 3s    | 500ms | 50% of packets between node1 and node3 are lost |
    Then a write to node1 fails within 2s
    And a write to all nodes succeeds within 10s
    And the faults stop
