/**
 * Labelled sets of pictures: image folders, also inside ZIP files, CIFAR-10, procedural pictures;
 * their class lists, parts and loading in the background.
 */
package org.ivit.core.dataset;
