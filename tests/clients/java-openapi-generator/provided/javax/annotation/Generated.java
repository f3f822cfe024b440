package javax.annotation;

/** Stands in for {@code jakarta.annotation:jakarta.annotation-api:1.3.5}, which an app would use. */
public @interface Generated {
  String[] value();

  String date() default "";

  String comments() default "";
}
