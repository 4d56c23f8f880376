Feature: Using the system

  Background:
    Given a 3-node cluster running kv

  Scenario: Writing and reading
    When "v1" is written to "k" on node1
    And "k" is read from node3
    Then a read of "k" from node3 returns "v1"
    And a read of "other" from node1 returns nothing
    And a read of "other" from each node returns nothing
    And every node returns "v1" for "k"
    And node1 and node2 return "v1" for "k" within 5s
    And all nodes agree on "k"

  Scenario: A quote, an empty text, and a long one
    When "she said ""yes"" for 5s" is written to "quote" on node1
    And "" is written to "empty" on node2
    Then a read of "quote" from node2 returns "she said ""yes"" for 5s"
    And a read of "empty" from node1 returns ""
    And a read of "quote" from node1 returns:
      """
      she said "yes" for 5s
      """

  Scenario: Fresh writes and reads
    Then a write to node1 succeeds
    And a write to all nodes succeeds within 5s
    And a read from the followers succeeds for 300ms

  Scenario: What fails, and what times out
    When node1 is paused
    Then a write to node2 fails
    And a write to node1 times out
    And a read from node1 fails

  Scenario: A stale read
    Given "v1" is written to "k" on node1
    Then a stale read of "k" from node3 returns "v1" within 5s
    When node3 is isolated from the other nodes
    And "v2" is written to "k" on node1
    Then a stale read of "k" from node3 returns "v1" for 300ms
    When node3 rejoins
    Then a stale read of "k" from node3 returns "v2" within 5s

  Scenario: Who leads
    Then there is exactly one leader
    And node1 is the leader
    And there is never more than one leader for 300ms
    When node2 becomes the leader
    Then the leader is one of node2 and node3
    And node2 is the leader within 5s
    And a write to the leader succeeds

  Scenario: The leader changes
    When I run "/kv move-leader node3" on node1
    Then the command succeeds
    And the leader has changed within 5s
    And node3 is the leader
    And a write to the old leader succeeds

  Scenario: Catching up
    When "v1" is written to "k" on the leader
    Then node2 has caught up with the leader within 5s
    And the followers have caught up with the leader within 5s
