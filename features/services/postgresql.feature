Feature: PostgreSQL with a standby

  Scenario: A standby answers reads and SQL, and is promoted when the primary is killed
    Given a 2-node cluster running postgresql
    Then node1 is the leader
    When "v1" is written to "k" on node1
    Then a read of "k" from node2 returns "v1" within 5s
    When I run "psql -c 'create table t ()'" on node2
    Then its error output contains "read-only transaction"
    When I run the SQL "create table t (id int, name text); insert into t values (1, 'a'), (2, null)" on node1
    And I run the SQL "select * from t order by id" on node2 within 5s
    Then the result is:
      | id | name |
      | 1  | a    |
      | 2  | NULL |
    When I run the SQL "select pg_is_in_recovery()" on node2
    Then the result is:
      | t |
    When node1 is killed
    And node2 becomes the leader
    Then a write to node2 succeeds
    And a read of "k" from node2 returns "v1"

  Scenario: The primary and a standby change places, and nothing is lost
    Given a 3-node cluster running postgresql
    When 3 clients add to a set to the leader continuously
    And 3 clients transfer between 4 accounts to the leader continuously
    And 3 clients take turns on a lock to the leader continuously
    And I wait 500ms
    And node3 becomes the leader
    Then the leader has changed
    And node1 has caught up with the leader within 10s
    When the clients stop
    Then no acknowledged write is lost
    And the total is always 1000
    And the lock is never held twice

  Scenario: A primary that waits for its standby does not acknowledge while that is cut off
    Given a cluster:
      | node  | services   | env                                            |
      | node1 | postgresql | POSTGRES_OPTIONS=--synchronous_standby_names=* |
      | node2 | postgresql |                                                |
    When "v1" is written to "k" on node1
    And node2 is isolated
    Then a write to node1 fails
    But a read of "k" from node1 returns "v1"
    When node2 rejoins
    Then a write to node1 succeeds within 20s

  @slow
  Scenario: A standby is paused, loses power and is replaced
    Given a 3-node cluster running postgresql
    When "v1" is written to "k" on node1
    And node2 is paused for 1s
    And all nodes lose power
    And all nodes are started again
    Then the cluster is healthy within 30s
    And every node returns "v1" for "k" within 10s
    When node2 is replaced by an empty node
    Then node2 has caught up with the leader within 20s
    And every node returns "v1" for "k"
    When the disk of node1 is full
    Then a write to node1 fails
    And node1 has exited with code 1 within 20s
    When the disk of node1 recovers
    And node1 is started again
    Then a write to node1 succeeds within 30s
    And a read of "k" from node1 returns "v1"
