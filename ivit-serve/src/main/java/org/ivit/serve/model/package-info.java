/** Models of integers and of floats behind one face, and pictures on their way to them. */
package org.ivit.serve.model;
