package org.ivit.train.augment;

/**
 * Pictures with which all is done.
 *
 * @param pixels [pictures][3][size][size]; held, not copied
 */
@SuppressWarnings("ArrayRecordComponent")
public record NormalisedPictures(float[] pixels) implements PictureBatch {}
