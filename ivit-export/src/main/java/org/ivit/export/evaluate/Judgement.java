package org.ivit.export.evaluate;

import java.util.List;
import org.ivit.export.features.Neighbour;
import org.ivit.export.features.Ranking;

/**
 * What classes follow from features of pictures.
 *
 * @param rankings the classes of each picture, the answer first; empty where nothing classifies
 * @param neighbours of each picture in a gallery, the nearest first; empty without a gallery
 */
public record Judgement(List<Ranking> rankings, List<List<Neighbour>> neighbours) {
  /** Nothing follows. */
  public static final Judgement NONE = new Judgement(List.of(), List.of());

  /** Copies. */
  public Judgement {
    rankings = List.copyOf(rankings);
    neighbours = List.copyOf(neighbours);
  }

  /** Whether pictures are classified. */
  public boolean classifies() {
    return !rankings.isEmpty();
  }
}
