Feature: A disk that fails
  The data of a node's services is on a disk that can fail; the programs say what they see.

  Scenario: Redis acknowledges one write that a full disk did not take, and no more until there is room again
    Given a 1-node cluster running redis
    And "v1" is written to "k" on node1
    When the disk of node1 is full
    Then a write to node1 succeeds
    But a write to node1 fails
    And the log of node1 contains "No space left on device"
    And a read of "k" from node1 returns "v1"
    When the disk of node1 recovers
    Then a write to node1 succeeds within 10s

  Scenario: A full disk stops a member of etcd, and the others go on
    Given a 3-node cluster running etcd
    And "v1" is written to "k" on node1
    When the disk of node2 is full
    And "v2" is written to "k" on node1
    Then the log of node2 contains "no space left on device" within 5s
    When everything heals
    And node2 is restarted
    Then node2 is ready within 10s
    And a read of "k" from node2 returns "v2"

  Scenario: A fsync that fails stops a member of etcd
    Given a 3-node cluster running etcd
    When fsync on the disk of node3 fails
    And a write to node1 succeeds
    Then the log of node3 contains "input/output error" within 5s
    And a write to node1 succeeds
    When the disk of node3 recovers
    And node3 is restarted
    Then node3 is ready within 10s

  Scenario: A slow fsync makes etcd complain
    Given a 3-node cluster running etcd
    And node1 becomes the leader
    When fsync on the disk of node3 takes 1200ms for the next 10s
    And a write to node1 succeeds
    Then the log of node3 contains "slow fdatasync" within 10s

  Scenario: A read-only disk
    Given a 1-node cluster running redis
    When the disk of node1 is read-only
    And "v1" is written to "k" on node1
    Then a write to node1 fails
    And the log of node1 contains "Read-only file system"
    When everything heals
    Then a write to node1 succeeds within 10s

  Scenario: A disk that cannot be read
    Given a 1-node cluster running redis
    And "v1" is written to "k" on node1
    When reads from the disk of node1 fail
    And node1 is killed
    And node1 is started again
    Then node1 has exited with code 1 within 5s
    And the log of node1 contains "Read AOF manifest failed"
    When the disk of node1 recovers
    And node1 is restarted
    Then a read of "k" from node1 returns "v1" within 5s

  Scenario: Redis finds flipped bits when it starts
    Given a 1-node cluster running redis
    And "v1" is written to "k" on node1
    And node1 is killed
    When 100% of reads from the disk of node1 are corrupted
    And node1 is started again
    Then node1 has exited with code 1 within 10s
    When everything heals
    And node1 is restarted
    Then a read of "k" from node1 returns "v1" within 5s

  Scenario: A slow disk makes each write slow
    Given a 1-node cluster running kv
    When the disk of node1 is slow by 200ms
    And I PUT "http://node1:8080/kv/k" with "v1"
    Then the response status is 200
    And the response took at least 200ms
    When the disk of node1 recovers
    Then a read of "k" from node1 returns "v1"

  Scenario: Writes fail for a while, on a dead disk all does
    Given a 1-node cluster running redis
    When writes to the disk of node1 fail for the next 1s
    And "v1" is written to "k" on node1
    Then a write to node1 succeeds within 10s
    When the disk of node1 fails
    Then a write to node1 fails within 10s
    And the log of node1 contains "Input/output error"

  Scenario: The disk of one service fails, another one of the node goes on
    Given a 1-node cluster running redis and kv
    When the disk of redis on node1 fails
    And "v1" is written to "k" on redis on node1
    Then a write to redis on node1 fails
    But a write to kv on node1 succeeds
