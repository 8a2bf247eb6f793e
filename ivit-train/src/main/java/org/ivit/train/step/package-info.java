/** A step of training, wherever it is taken: its pictures, its settings, its outcome. */
package org.ivit.train.step;
