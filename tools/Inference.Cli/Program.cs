System.Console.WriteLine("inference");
