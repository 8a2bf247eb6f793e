/** Observers choose the range of a node from the values that it meets. */
package org.ivit.train.observer;
