Feature: Harming processes

  Background:
    Given a 3-node cluster running kv

  Scenario: Killed, and started again on its disk
    Given "v1" is written to "k" on node1
    When node1 is killed
    Then node1 has exited with code 137 within 2s
    And a read from node1 fails
    When node1 is started again
    Then node1 is ready within 5s
    And a stale read of "k" from node1 returns "v1"

  Scenario: Those that were killed
    When node2 and node3 are killed
    And the killed nodes are started again
    Then all nodes are ready within 5s

  Scenario: Stopped
    When node2 is stopped
    Then node2 has exited with code 0
    And the log of node2 contains "stops"
    When node2 is started again
    Then node2 is running
    And node2 is ready within 5s

  Scenario: Stopped for a while, restarted
    When node2 is stopped for 300ms
    And node3 is restarted
    Then all nodes are ready within 5s
    And the log of node3 matches "listens on :8080"

  Scenario: Paused
    When node2 is paused
    Then a read from node2 times out
    When the paused node resumes
    Then a read from node2 succeeds within 5s

  Scenario: One of those that are paused resumes, another is killed
    When all nodes are paused
    And node1 resumes
    And node2 is killed
    And node2 is started again
    Then node2 is ready within 5s
    And a stale read from node1 succeeds
    And a stale read from node3 times out
    When everything heals
    Then all nodes are ready within 5s

  Scenario: Paused for the next second
    When a random node is paused for the next 1s
    Then every node is ready within 5s
    And all nodes are running

  Scenario: Killed again and again
    When node3 is killed and started again 3 times, every 200ms
    Then node3 is ready within 5s

  Scenario: Everything heals
    When node2 is killed
    And node3 is paused
    And node1 is isolated
    And everything heals
    Then a write to each node succeeds within 5s

  Scenario: It ends by itself
    When I POST "http://node3:8080/exit/3" with ""
    Then the response status is 200
    And node3 has exited with code 3 within 2s
