/**
 * Pictures: decoding to RGB, Pillow's resampling, the evaluation transform and normalisation.
 *
 * <p>Every step gives the bytes that Pillow and torchvision give, so that an accuracy measured here
 * compares with one measured in Python. Embedded colour profiles and the EXIF orientation are
 * ignored, as {@code Image.open(f).convert("RGB")} ignores them.
 */
package org.ivit.core.image;
